-- The table of pictures and their labels; WITHOUT ROWID as in create.sql.
-- IMAGE_SHA256 is the SHA-256 of the uploaded bytes, 64 lower-case hexadecimal digits.
CREATE TABLE IF NOT EXISTS IMAGE_RESULT (
    IMAGE_SHA256 TEXT NOT NULL,
    LABEL TEXT,
    MODEL TEXT,
    CREATED_AT TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    CONSTRAINT IMAGE_RESULT_PK PRIMARY KEY (IMAGE_SHA256)
) WITHOUT ROWID;
