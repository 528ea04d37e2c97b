"""Tables, queries, the group-commit writer and the migrations."""
