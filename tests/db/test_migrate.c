#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "db/access_rules.h"
#include "db/migrate.h"
#include "db/schema/schema.h"
#include "db/statement.h"

static const char *const steps[] = {
	"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
	"ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;",
	"CREATE TABLE b (z INTEGER); INSERT INTO b SELECT y FROM a;",
};

static int setup(void **state)
{
	struct sqlite3 *sqlite;

	if (sqlite3_open(":memory:", &sqlite))
		return -1;
	*state = sqlite;
	return 0;
}

static int teardown(void **state)
{
	return sqlite3_close(*state);
}

static int64_t ask(struct sqlite3 *sqlite, const char *sql)
{
	struct statement s;
	int64_t answer = -1;

	statement_open(&s, sqlite, sql);
	if (statement_step(&s) > 0)
		answer = statement_int_at(&s, 0);
	statement_close(&s);

	return answer;
}

/* From each older version, an empty file among them, to the newest. */
static void test_every_version_reaches_the_newest(void **state)
{
	(void)state;
	for (size_t from = 0; from <= 3; from++) {
		struct sqlite3 *sqlite;

		assert_int_equal(sqlite3_open(":memory:", &sqlite), 0);
		assert_int_equal(migrate(sqlite, steps, from), 0);
		assert_int_equal(ask(sqlite, "PRAGMA user_version"), from);
		assert_int_equal(migrate(sqlite, steps, 3), 0);
		assert_int_equal(ask(sqlite, "PRAGMA user_version"), 3);
		assert_int_equal(ask(sqlite, "SELECT z FROM b"), 2);
		assert_int_equal(ask(sqlite, "SELECT count(*) FROM a"), 1);
		sqlite3_close(sqlite);
	}
}

static void test_a_failing_step_changes_nothing(void **state)
{
	const char *const bad[] = { steps[0], steps[1],
				    "CREATE TABLE b (z); INSERT INTO c "
				    "VALUES (1);" };

	assert_int_equal(migrate(*state, bad, 1), 0);
	assert_true(migrate(*state, bad, 3) < 0);
	assert_int_equal(ask(*state, "PRAGMA user_version"), 1);
	assert_int_equal(ask(*state, "SELECT count(*) FROM sqlite_schema"), 1);
	assert_int_equal(ask(*state, "SELECT y FROM a"), -1);

	/* Nothing is left open: the right steps go through. */
	assert_int_equal(migrate(*state, steps, 3), 0);
}

static void test_a_newer_version_is_refused(void **state)
{
	assert_int_equal(migrate(*state, steps, 3), 0);
	assert_int_equal(migrate(*state, steps, 2), -ENOTSUP);
	assert_int_equal(ask(*state, "PRAGMA user_version"), 3);
	sqlite3_exec(*state, "PRAGMA user_version = -1", NULL, NULL, NULL);
	assert_int_equal(migrate(*state, steps, 3), -ENOTSUP);
}

#define CONFIG_STEPS 9
static const char *const config[CONFIG_STEPS] = {
	schema_config_001, schema_config_002, schema_config_003,
	schema_config_004, schema_config_005, schema_config_006,
	schema_config_007, schema_config_008, schema_config_009,
};

/* The embedded files are whole and run on an empty file. */
static void test_the_schemas_run(void **state)
{
	static const char *const others[] = {
		schema_state_001, schema_state_002, schema_state_003,
		schema_history_001, schema_history_002
	};
	const struct {
		const char *const *steps;
		size_t count;
	} schemas[] = { { config, CONFIG_STEPS },
			{ &others[0], 3 },
			{ &others[3], 2 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sqlite3 *sqlite;

		assert_int_equal(sqlite3_open(":memory:", &sqlite), 0);
		assert_int_equal(
			migrate(sqlite, schemas[i].steps, schemas[i].count), 0);
		assert_true(ask(sqlite, "SELECT count(*) FROM sqlite_schema") >
			    2);
		sqlite3_close(sqlite);
	}
}

/* A house of the first version: its users stay who they were, without SCRAM, and
 * it gets a secret of its own. */
static void test_users_of_the_first_version_stay(void **state)
{
	static const char both[] =
		"SELECT count(*) FROM users WHERE name IN ('anna', 'lock')"
		" AND hash = '$x$y' AND scram = '' AND created = 7";

	assert_int_equal(migrate(*state, config, 1), 0);
	assert_int_equal(sqlite3_exec(*state,
				      "INSERT INTO users VALUES"
				      " ('anna', '$x$y', 'person', 1, 1, 7, 1),"
				      " ('lock', '$x$y', 'device', 0, 1, 7, 2)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(migrate(*state, config, CONFIG_STEPS), 0);
	assert_int_equal(ask(*state, both), 2);
	assert_int_equal(ask(*state, "SELECT count(*) FROM secrets WHERE"
				     " name = 'scram' AND length(value) = 32"
				     " AND value <> zeroblob(32)"),
			 1);
}

/* Pins as columns (to version 6) become JSON, and lose nothing. */
static void test_pins_of_columns_stay(void **state)
{
	static const char old[] =
		"INSERT INTO pins (name, dir, chip, line, bias, active_low,"
		" debounce_ms, safe, kind, label, room) VALUES"
		" ('pump', 'out', '', 17, 'as_is', 1, 0, 'hold', 'relay',"
		"  'a \"pump\"', 'Cellar'),"
		" ('door', 'in', 'x', 17, 'down', 0, 20, 'on', 'contact', '',"
		"  '');"
		"UPDATE pins SET boot = 'restore', interlock = 'gate',"
		" locked = 1, dead_ms = 500, cycles = 6, max_on = 70,"
		" min_on = 8, min_off = 9, auto_off = 10,"
		" command_timeout = 11, failsafe = 12 WHERE dir = 'out';";
	static const char pump[] =
		"SELECT document = '{\"name\":\"pump\",\"dir\":\"out\","
		"\"line\":17,\"chip\":null,\"kind\":\"relay\","
		"\"label\":\"a \\\"pump\\\"\",\"room\":\"Cellar\","
		"\"active_low\":true,\"safe\":\"hold\","
		"\"boot\":\"restore\",\"interlock\":\"gate\","
		"\"dead_ms\":500,\"locked\":true,\"cycles\":6,"
		"\"max_on\":70,\"min_on\":8,\"min_off\":9,"
		"\"auto_off\":10,\"command_timeout\":11,\"failsafe\":12}'"
		" FROM pins WHERE name = 'pump' AND chip = '' AND line = 17";
	static const char door[] =
		"SELECT document = '{\"name\":\"door\",\"dir\":\"in\","
		"\"line\":17,\"chip\":\"x\",\"kind\":\"contact\","
		"\"label\":\"\",\"room\":\"\",\"active_low\":false,"
		"\"bias\":\"down\",\"debounce_ms\":20}'"
		" FROM pins WHERE name = 'door' AND chip = 'x'";

	assert_int_equal(migrate(*state, config, 6), 0);
	assert_int_equal(sqlite3_exec(*state, old, NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(migrate(*state, config, 7), 0);
	assert_int_equal(ask(*state, pump), 1);
	assert_int_equal(ask(*state, door), 1);
}

/* Persons who were made when there were no covers (to version 7) may move them, if
 * nobody has taken from them what they got with it. */
static void test_persons_of_before_covers_may_move_them(void **state)
{
	static const char old[] =
		"INSERT INTO users (name, hash, kind, admin, enabled, created,"
		" version) VALUES"
		" ('anna', '', 'person', 1, 1, 7, 1),"
		" ('ben', '', 'person', 0, 1, 7, 2),"
		" ('child', '', 'person', 0, 1, 7, 3),"
		" ('new', '', 'person', 0, 1, 7, 4),"
		" ('lock', '', 'device', 0, 1, 7, 5);"
		"INSERT INTO rules (user, filter, action, effect) VALUES"
		" ('anna', 'hearth/+/light/+/set', 'write', 'allow'),"
		" ('ben', 'hearth/+/light/+/set', 'write', 'allow'),"
		" ('ben', 'hearth/+/cover/+/set', 'write', 'deny'),"
		" ('child', 'hearth/+/light/+/set', 'read', 'allow'),"
		" ('new', 'hearth/+/light/+/set', 'write', 'allow'),"
		" ('new', 'hearth/+/cover/+/set', 'write', 'allow'),"
		" ('lock', 'hearth/+/light/+/set', 'write', 'allow')";
	static const char may[] =
		"SELECT group_concat(user, ' ') = 'anna ben new' FROM"
		" (SELECT user FROM rules WHERE"
		" filter = 'hearth/+/cover/+/set' AND action = 'write'"
		" AND effect = 'allow' ORDER BY user)";

	assert_int_equal(migrate(*state, config, 7), 0);
	assert_int_equal(sqlite3_exec(*state, old, NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(migrate(*state, config, 8), 0);
	assert_int_equal(ask(*state, may), 1);
	/* What was denied stays denied: it counts for more. */
	assert_int_equal(ask(*state, "SELECT count(*) FROM rules"), 9);
}

/* A house has no more rules than it may have. */
static void test_rules_for_covers_stop_at_the_limit(void **state)
{
	static const char old[] =
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		" SELECT i + 1 FROM n WHERE i < 9999)"
		" INSERT INTO users (name, hash, kind, admin, enabled,"
		" created, version)"
		" SELECT 'u' || i, '', 'person', 0, 1, 7, i FROM n;"
		"INSERT INTO rules (user, filter, action, effect)"
		" SELECT name, 'hearth/+/light/+/set', 'write', 'allow'"
		" FROM users UNION ALL"
		" SELECT name, 'hearth/#', 'read', 'allow' FROM users";

	_Static_assert(DB_RULES_MAX == 20000, "as config-008.sql has it");
	assert_int_equal(migrate(*state, config, 7), 0);
	assert_int_equal(sqlite3_exec(*state, old, NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(migrate(*state, config, 8), 0);
	assert_int_equal(ask(*state, "SELECT count(*) FROM rules"),
			 DB_RULES_MAX);
}

static void test_a_statement_keeps_its_first_error(void **state)
{
	struct statement s;

	statement_open(&s, *state, "SELECT nonsense FROM nowhere");
	statement_int(&s, 1);
	statement_text(&s, "a");
	assert_true(statement_step(&s) < 0);
	assert_true(statement_finish(&s) < 0);
	assert_null(s.stmt);
}

static void test_a_kept_statement_runs_again(void **state)
{
	struct statement s;

	sqlite3_exec(*state,
		     "CREATE TABLE t (x INTEGER UNIQUE, y TEXT, z BLOB)", NULL,
		     NULL, NULL);
	assert_int_equal(
		statement_keep(&s, *state, "INSERT INTO t VALUES (?, ?, ?)"),
		0);
	for (int i = 0; i < 3; i++) {
		statement_int(&s, i);
		statement_text_slice(&s, slice_of(NULL, 0));
		statement_blob(&s, slice_of(NULL, 0));
		assert_int_equal(statement_run(&s), 0);
	}
	statement_int(&s, 0);
	statement_text(&s, "again");
	statement_null(&s);
	assert_int_equal(statement_run(&s), -EEXIST);
	statement_int(&s, 3);
	statement_text(&s, "after an error");
	statement_null(&s);
	assert_int_equal(statement_run(&s), 0);
	statement_close(&s);
	statement_close(&s);

	/* An empty text or blob is not NULL. */
	assert_int_equal(ask(*state, "SELECT count(*) FROM t WHERE y IS NULL"),
			 0);
	assert_int_equal(ask(*state, "SELECT count(*) FROM t WHERE z IS NULL"),
			 1);
}

/* What waited under the first version waits under the second. */
static void test_the_queue_of_the_first_version_stays(void **state)
{
	static const char *const steps_of_state[] = { schema_state_001,
						      schema_state_002,
						      schema_state_003 };
	static const char kept[] =
		"SELECT group_concat(session || '/' || seq || ' m' || message "
		"||"
		" ' p' || packet_id || ' s' || state || ' q' || qos || ' r' ||"
		" retain || ' ' || quote(identifiers), ', ') ="
		" '7/1 m0 p1 s2 q2 r0 NULL, 7/2 m9 p2 s1 q1 r1 X''0B01''"
		", 8/5 m9 p5 s0 q1 r0 NULL' FROM"
		" (SELECT * FROM queue ORDER BY session, seq)";

	assert_int_equal(migrate(*state, steps_of_state, 1), 0);
	assert_int_equal(sqlite3_exec(*state,
				      "INSERT INTO queue VALUES"
				      " (7, 1, 0, 1, 2, 2, 0, NULL),"
				      " (7, 2, 9, 2, 1, 1, 1, X'0B01'),"
				      " (8, 5, 9, 5, 0, 1, 0, NULL)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(migrate(*state, steps_of_state, 3), 0);
	assert_int_equal(ask(*state, kept), 1);
	assert_int_equal(ask(*state, "SELECT sum(share) FROM queue"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_version_reaches_the_newest),
		cmocka_unit_test_setup_teardown(
			test_a_failing_step_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_newer_version_is_refused,
						setup, teardown),
		cmocka_unit_test(test_the_schemas_run),
		cmocka_unit_test_setup_teardown(
			test_users_of_the_first_version_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pins_of_columns_stay,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_persons_of_before_covers_may_move_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_rules_for_covers_stop_at_the_limit, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_a_statement_keeps_its_first_error, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_a_kept_statement_runs_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_queue_of_the_first_version_stays, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
