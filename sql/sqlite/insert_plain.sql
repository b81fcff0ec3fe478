-- For a table without a column for the model.
INSERT INTO URL_RESULT (URL, RESULT)
VALUES (?1, ?2)
ON CONFLICT DO NOTHING
