"""Tables as values: columns, types, DDL and comparison, all pure text and data; nothing here connects."""
