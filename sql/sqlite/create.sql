-- The result table. Every column but the key and the result may be left out by other programs that insert.
-- WITHOUT ROWID: the row lies in the key's own b-tree, so that a hit is one descent and an insert touches one tree.
CREATE TABLE IF NOT EXISTS URL_RESULT (
    URL TEXT NOT NULL,
    RESULT REAL,
    MODEL TEXT,
    CREATED_AT TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    CONSTRAINT URL_RESULT_PK PRIMARY KEY (URL)
) WITHOUT ROWID;
