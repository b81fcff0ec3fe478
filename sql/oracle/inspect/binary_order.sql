-- Keys in the order of their bytes, whatever NLS_LANG or the server says of sorting: only then does a page follow the
-- index, and is the last key of a page the place where the next one begins.
ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY
