"""`xorj program mutate`: takes away each check of the vault program in turn and names the test that notices."""
