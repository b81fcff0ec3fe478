-- For a table without a column for the model.
UPDATE URL_RESULT
SET RESULT = :1
WHERE URL = :2
