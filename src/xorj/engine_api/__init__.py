"""Routes of the engines: 8001 quant-engine, 8002 trade-bot. For our own processes alone; the gateway is what others reach."""
