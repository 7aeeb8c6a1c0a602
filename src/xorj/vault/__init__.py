"""The vault program as bytes: its accounts, instructions, events and errors. Pure; used by whoever reads or writes the vault."""
