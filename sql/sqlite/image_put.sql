-- Followed by image_insert.sql where no row was there: works with or without a unique key on the key column.
UPDATE IMAGE_RESULT
SET
    LABEL = ?2,
    MODEL = ?3
WHERE IMAGE_SHA256 = ?1
