-- For a table without a column for the model.
UPDATE URL_RESULT
SET RESULT = ?2
WHERE URL = ?1
