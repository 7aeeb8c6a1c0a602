"""One file a process: reads its settings, builds adapters, calls workflows, starts and stops. Called by `python -m xorj service`."""
