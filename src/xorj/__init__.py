"""Copy trading on Solana without giving anyone your money. ARCHITECTURE.md of the checkout is the map."""
