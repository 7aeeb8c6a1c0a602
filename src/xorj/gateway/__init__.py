"""The edge of port 8000, mounted by web on 3000 too: who asks, how often, with what; then one port call and a typed answer."""
