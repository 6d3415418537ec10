#include "tests/db/scratch_config.h"

#include "tests/db/scratch.h"

struct db *db;
struct db_config *config;

int scratch_config_setup(void **state)
{
	*state = NULL;
	scratch_make();
	db = scratch_open();
	return db_config_open(db, &config);
}

int scratch_config_teardown(void **state)
{
	(void)state;
	db_config_close(config);
	db_close(db);
	scratch_remove();
	return 0;
}
