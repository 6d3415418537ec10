/*
 * The SQL files of this folder as strings, one for each schema version of each
 * database: <database>-<version>.sql. A file never changes once released; the
 * next version is a new file.
 */
#ifndef DB_SCHEMA_SCHEMA_H
#define DB_SCHEMA_SCHEMA_H

extern const char schema_config_001[];
extern const char schema_config_002[];
extern const char schema_config_003[];
extern const char schema_config_004[];
extern const char schema_config_005[];
extern const char schema_config_006[];
extern const char schema_config_007[];
extern const char schema_config_008[];
extern const char schema_config_009[];
extern const char schema_state_001[];
extern const char schema_state_002[];
extern const char schema_state_003[];
extern const char schema_state_004[];
extern const char schema_history_001[];
extern const char schema_history_002[];

#endif
