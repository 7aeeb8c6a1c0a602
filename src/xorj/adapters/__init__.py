"""All IO to outside systems, one folder a system: nodes, router, database, lake, signer. Built by services alone."""
