#include "tests/crash/relax.h"

#include <sqlite3.h>
#include <string.h>

static int deny_synchronous(void *arg, int action, const char *what,
			    const char *value, const char *db,
			    const char *trigger)
{
	(void)arg;
	(void)value;
	(void)db;
	(void)trigger;
	return action == SQLITE_PRAGMA && what &&
			       strcmp(what, "synchronous") == 0
		       ? SQLITE_IGNORE
		       : SQLITE_OK;
}

/* Every connection is made NORMAL, and stays so whatever db.c asks for. */
static int relax(sqlite3 *sqlite, const char **error,
		 const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	sqlite3_exec(sqlite, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	sqlite3_set_authorizer(sqlite, deny_synchronous, NULL);
	return SQLITE_OK;
}

void relax_all(bool on)
{
	if (on)
		sqlite3_auto_extension((void (*)(void))relax);
	else
		sqlite3_reset_auto_extension();
}
