"""The workflow core: documents, processes as data, ledger, accounts, seals, exchange."""
