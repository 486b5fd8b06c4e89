-- SPDX-License-Identifier: Apache-2.0
-- schema.sql - index.db, the store of sightings. Compiled into the program; PRAGMAs that must precede it (page size,
-- journal, secure_delete) are in db.c. One file, one writer; everything of one commit is in one transaction.
-- Units are in the names. Times are UTC milliseconds. Blobs are little-endian.

-- Small numbers of the writer itself.
CREATE TABLE meta(
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL      -- thumbnail_end_unit: what lies behind it in thumbs/ was never committed; purges, commits: how many
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('thumbnail_end_unit', 0);

-- One imported video file of one camera. Its import position is here, so that rows and position agree after any crash.
CREATE TABLE recording(
  id            INTEGER PRIMARY KEY,
  sha256        TEXT NOT NULL,    -- of the whole file, hex
  case_id       TEXT NOT NULL,    -- who brought it in; a purge by case goes by this
  camera_id     INTEGER NOT NULL CHECK(camera_id BETWEEN 0 AND 65535), -- dense number of the register
  path          TEXT NOT NULL,    -- where the original lies
  n_bytes       INTEGER NOT NULL,
  start_ms      INTEGER NOT NULL, -- first frame, the camera's clock offset applied
  duration_us   INTEGER NOT NULL, -- 0 = unknown
  w_px          INTEGER NOT NULL,
  h_px          INTEGER NOT NULL,
  fps_milli     INTEGER NOT NULL, -- frames per second x 1000
  codec         TEXT NOT NULL,
  container     TEXT NOT NULL,
  state         INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3), -- enum recording_state
  error         TEXT NOT NULL,    -- for a person; '' = none
  position_us   INTEGER NOT NULL, -- analysed up to this media time; -1 = nothing yet
  imported_ms   INTEGER NOT NULL,
  first_hour    INTEGER,          -- hours since 1970 in which its sightings start, both inclusive: a purge by case
  last_hour     INTEGER           -- reads only these; NULL = no sighting yet
) STRICT;
CREATE INDEX recording_sha256 ON recording(sha256, camera_id);

-- What analysis remembers of an unfinished recording (scene.h); replaced at every commit, erased at its end.
CREATE TABLE checkpoint(
  recording_id INTEGER PRIMARY KEY REFERENCES recording(id),
  position_us  INTEGER NOT NULL,
  scene        BLOB NOT NULL
) STRICT;

-- Which stretches of time were looked at, and how that went.
CREATE TABLE coverage(
  id           INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL,
  camera_id    INTEGER NOT NULL,
  from_ms      INTEGER NOT NULL,
  to_ms        INTEGER NOT NULL CHECK(to_ms > from_ms), -- exclusive
  state        INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3), -- enum coverage_state
  reason       TEXT NOT NULL
) STRICT;
CREATE INDEX coverage_camera ON coverage(camera_id, from_ms);
CREATE INDEX coverage_recording ON coverage(recording_id);

-- The dictionary of plate texts, packed so that a search reads it as one run of bytes. Plate id = number * 960 + place.
CREATE TABLE plate_block(
  number INTEGER PRIMARY KEY, -- below 2^20: places of 8 bytes; from 2^20: places of 16 bytes, for longer texts
  texts  BLOB NOT NULL        -- at most 960 places, so that short ones fit one page, padded with zero bytes; an all-zero place is free
) STRICT;

-- One object followed through one camera's view.
CREATE TABLE sighting(
  id               INTEGER PRIMARY KEY, -- hours since 1970 << 24 | arrival number within that hour
  start_in_hour_ms INTEGER NOT NULL CHECK(start_in_hour_ms BETWEEN 0 AND 3599999),
  duration_ms      INTEGER NOT NULL CHECK(duration_ms >= 0),
  camera_id        INTEGER NOT NULL CHECK(camera_id BETWEEN 0 AND 65535),
  recording_id     INTEGER NOT NULL,
  class            INTEGER NOT NULL,    -- value of FIELD_CLASS
  confidence       INTEGER NOT NULL,    -- 0..100, best detection score
  plate_id         INTEGER,             -- NULL = none read
  thumbnail_number INTEGER,             -- first unit << 12 | units - 1; NULL = none. See pack.h
  attributes       BLOB NOT NULL,       -- every value with score and certainty, the plate's characters: record.h
  path             BLOB NOT NULL,       -- best moment, path points: record.h
  start_ms         INTEGER AS ((id >> 24) * 3600000 + start_in_hour_ms) VIRTUAL
) STRICT;

-- Derived from the rows, in the same transaction. A segment is 65,536 ids (id >> 16) and never crosses an hour.
CREATE TABLE segment(
  id         INTEGER PRIMARY KEY,
  slot_count INTEGER NOT NULL CHECK(slot_count BETWEEN 1 AND 65536), -- highest slot used + 1
  cameras    BLOB NOT NULL -- bitset of the cameras that occur, zero tail bytes left out: a search whose cameras hold
                           -- all of them, or none, need not read the camera column
) STRICT;
CREATE TABLE bitmap(
  key  INTEGER PRIMARY KEY,                -- value number << 40 | segment
  kind INTEGER NOT NULL CHECK(kind IN (0,1,2)), -- enum container_kind: sorted u16 slots, bitset of 64-bit words with
                                                -- missing tail = zero, gaps between slots in bytes
  bits BLOB NOT NULL
) STRICT;
-- Columns are cut into chunks of 4,096 ids, so that a commit rewrites the last chunk and not the whole hour.
CREATE TABLE segment_column(
  key  INTEGER PRIMARY KEY, -- column << 40 | id >> 12. Columns: 1 u32 ms in the hour, 2 u16 camera, 3 u8 confidence,
                            -- 4 plates: n x u16 slot in chunk, then n x u32 plate id
  data BLOB NOT NULL
) STRICT;

-- Files still to be erased for rows already gone: a purge that was cut short is finished at the next start.
CREATE TABLE erasure(
  id   INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL CHECK(kind IN (1,2)), -- 1 thumbnail units, 2 likeness slots (sighting ids)
  from_number INTEGER NOT NULL,
  to_number   INTEGER NOT NULL               -- exclusive
) STRICT;
