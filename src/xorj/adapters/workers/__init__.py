"""Where tasks run: the process pool of this machine, or a Ray cluster. Both implement Workers of xorj.performance.ports."""
