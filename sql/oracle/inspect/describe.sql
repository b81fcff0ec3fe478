-- Reads no row: the description tells names, types and widths of all columns, without a dictionary view.
SELECT * -- noqa: AM04
FROM URL_RESULT
WHERE 1 = 0
