"""What the core needs of the outside world: database, files, keys, HTTP."""
