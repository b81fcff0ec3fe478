-- Keys are compared and sorted as bytes, whatever the server, its logon triggers or NLS_LANG say: otherwise two URLs
-- may count as one, the index helps no lookup, and the last key of a page is not the place where the next one begins.
-- A key column with a collation of its own (12.2 and later) keeps that.
ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY
