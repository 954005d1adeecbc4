"""Pure rules of the core: no database, no files, no clock."""
