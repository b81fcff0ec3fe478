-- Followed by image_insert.sql where no row was there: works with or without a unique key on the key column.
UPDATE IMAGE_RESULT
SET
    LABEL = :1,
    MODEL = :2
WHERE IMAGE_SHA256 = :3
