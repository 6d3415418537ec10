#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/tls.h"
#include "broker/config/config.h"
#include "broker/limits.h"
#include "tests/failing_malloc.h"

/* What was reported: "line: message\n" for each. Too much is a failed test. */
struct reports {
	char text[4096];
	size_t len;
};

static void collect(void *arg, unsigned int line, const char *message)
{
	struct reports *reports = arg;
	int n = snprintf(reports->text + reports->len,
			 sizeof(reports->text) - reports->len, "%u: %s\n", line,
			 message);

	assert_true(n > 0 && (size_t)n < sizeof(reports->text) - reports->len);
	reports->len += (size_t)n;
}

static int parse(const char *text, struct config **out, struct reports *reports)
{
	*reports = (struct reports){ 0 };
	*out = NULL;
	return config_parse(text, strlen(text), out, collect, reports);
}

#define LAN "[listener lan]\nport=1883\n"

static const struct {
	const char *text;
	const char *reports;
} mistakes[] = {
	{ "", "0: expected a [listener NAME]: no device could connect\n" },
	{ LAN "[hearth\n", "3: expected ']' at the end\n" },
	{ LAN "[a]b]\n", "3: expected ']' at the end\n" },
	{ LAN "[ ]\n", "3: expected a name in [ ]\n" },
	{ LAN "port\n", "3: expected 'key = value' or '[section]'\n" },
	{ LAN " = 4\n", "3: expected 'key = value' or '[section]'\n" },
	{ "port = 1\n" LAN, "1: port: expected a [section] before it\n" },
	{ LAN "[Web]\nport = x\n",
	  "3: [Web]: expected one of [hearth] [listener NAME] [web] [gpio] "
	  "[durability] [backup] [limits]\n" },
	{ LAN "[web]\nprt = 1\n", "4: prt: there is no such key in [web]\n" },
	{ LAN "[web x]\n", "3: [web]: expected no name after it\n" },
	{ LAN "[web]\n[gpio]\n[web]\n", "5: [web]: is in line 3 already\n" },
	{ LAN "[web]\nport = 1\n\nport = 1\n",
	  "6: port: is in line 4 already\n" },
	{ LAN LAN, "3: [listener lan]: is in line 1 already\n" },
	{ LAN "[listener]\nport = 1\n",
	  "3: [listener]: expected a name after it, of at most 64 bytes\n" },
	{ "[listener a]\n", "1: [listener a]: expected a port\n" },
	{ "[listener a]\nport=65536\n",
	  "2: port = 65536: expected a number from 0 to 65535\n" },
	{ "[listener a]\nport=-1\n",
	  "2: port = -1: expected a number from 0 to 65535\n" },
	{ "[listener a]\nport=0x10\n",
	  "2: port = 0x10: expected a number from 0 to 65535\n" },
	{ "[listener a]\nport=\n",
	  "2: port = : expected a number from 0 to 65535\n" },
	{ "[listener a]\nport=99999999999999999999999\n",
	  "2: port = 99999999999999999999999: expected a number from 0 to "
	  "65535\n" },
	{ "[listener a]\nport=1883 ; mqtt\n",
	  "2: port = 1883 ; mqtt: expected a number from 0 to 65535\n" },
	{ LAN "anonymous=true\n", "3: anonymous = true: expected yes or no\n" },
	{ LAN "[web]\ntls_cert = /c\n",
	  "4: tls_cert: expected a tls_key as well\n" },
	{ LAN "[web]\ntls_key = /k\n",
	  "4: tls_key: expected a tls_cert as well\n" },
	/* A name of two words is no name, though the first would be one. */
	{ LAN "[web]\nhost = a b, c\n",
	  "4: host = a b, c: expected host names with ',' between\n" },
	{ LAN "[web]\nhost = a,,c\n",
	  "4: host = a,,c: expected host names with ',' between\n" },
	{ LAN "[web]\nhost = a,b,c,d,e,f,g,h,i\nhost = a,b,c,d,e,f,g,h\n",
	  "5: host = a,b,c,d,e,f,g,h: expected at most 16 host names\n" },
	{ LAN "[hearth]\nnode = a/b\n",
	  "4: node = a/b: expected 1 to 64 of a-z A-Z 0-9 . _ -\n" },
	{ LAN "[hearth]\nlog_level = loud\n",
	  "4: log_level = loud: expected one of error warn info debug\n" },
	{ LAN "[hearth]\nserver_reference = mqtt://hub2\n",
	  "4: server_reference = mqtt://hub2: expected host names or "
	  "addresses, "
	  "each perhaps with ':' and a port, with ' ' between\n" },
	{ LAN "[hearth]\nresponse_information = reply/+\n",
	  "4: response_information = reply/+: expected a topic without '+' and "
	  "'#'\n" },
	{ LAN "[hearth]\nresponse_information = $SYS\n",
	  "4: response_information = $SYS: expected a topic without '+' and "
	  "'#'\n" },
	{ LAN "[gpio]\nbackend = on\n",
	  "4: backend = on: expected one of auto gpiod sim off\n" },
	{ LAN "[gpio]\nhomeassistant_prefix = a/b\n",
	  "4: homeassistant_prefix = a/b: expected 1 to 64 of a-z A-Z 0-9 . _ "
	  "-\n" },
	{ LAN "[gpio]\nprogram = gpiod\n",
	  "4: program = gpiod: expected auto, none, or a path that begins "
	  "with '/'\n" },
	{ LAN "[limits]\npacket_size = 1023\n",
	  "4: packet_size = 1023: expected a number from 1024 to 268435455\n" },
	{ LAN "[backup]\nhour = 24\n",
	  "4: hour = 24: expected a number from 0 to 23\n" },
	{ LAN "[backup]\nkeep = 0\n",
	  "4: keep = 0: expected a number from 1 to 365\n" },
	{ LAN "[store]\nstate_mb = 15\n",
	  "4: state_mb = 15: expected a number from 16 to 16384\n" },
	{ LAN "[store]\nhistory_mb = 65537\n",
	  "4: history_mb = 65537: expected a number from 16 to 65536\n" },
	{ LAN "[store]\nballast_mb = 4097\n",
	  "4: ballast_mb = 4097: expected a number from 0 to 4096\n" },
	{ LAN "[durability]\nmax_delay = 1001\n",
	  "4: max_delay = 1001: expected a number from 0 to 1000\n" },
	{ LAN "[limits]\nsession_expiry = 4294967295\n",
	  "4: session_expiry = 4294967295: expected a number from 1 to "
	  "4294967294\n" },
};

static void test_each_mistake_is_told_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct reports reports;
		struct config *config;
		int r = parse(mistakes[i].text, &config, &reports);

		assert_string_equal(reports.text, mistakes[i].reports);
		assert_int_equal(r, -EINVAL);
		assert_null(config);
	}
}

static void test_all_mistakes_are_told_at_once(void **state)
{
	struct reports reports;
	struct config *config;

	(void)state;
	assert_int_equal(parse("[hearth]\nnode = #\ncolour = red\nnonsense\n"
			       "[listener]\n[web]\nport = many\n[oven]\n",
			       &config, &reports),
			 -EINVAL);
	assert_string_equal(
		reports.text,
		"2: node = #: expected 1 to 64 of a-z A-Z 0-9 . _ -\n"
		"3: colour: there is no such key in [hearth]\n"
		"4: expected 'key = value' or '[section]'\n"
		"5: [listener]: expected a name after it, of at most 64 bytes\n"
		"7: port = many: expected a number from 0 to 65535\n"
		"8: [oven]: expected one of [hearth] [listener NAME] [web] "
		"[gpio] [durability] [backup] [limits]\n");
}

static void check_local(const struct listener_options *l)
{
	assert_string_equal(l->name, "local");
	assert_int_equal(l->type, LISTENER_UNIX);
	assert_string_equal(l->path, "/run/a=b");
	assert_string_equal(l->user, "u");
	assert_int_equal(l->mode, 0600);
	assert_string_equal(l->group, "users");
}

static void check_pages(const struct listener_options *l)
{
	assert_int_equal(l->type, LISTENER_WS);
	assert_int_equal(l->origins.count, 3);
	assert_string_equal(l->origins.names[0], "any");
	assert_string_equal(l->origins.names[1], "https://a:1");
	assert_string_equal(l->origins.names[2], "http://b");
	assert_true(l->proxy_protocol);
	assert_string_equal(l->mount_point, "a/b/");
	assert_int_equal(l->proxy_from.count, 2);
	assert_string_equal(l->proxy_from.names[1], "::1");
}

static void check_limits(const struct config_limits *limits)
{
	assert_int_equal(limits->connections, 1);
	assert_int_equal(limits->packet_size, 2048);
	assert_int_equal(limits->queue_messages, 3);
	assert_int_equal(limits->queue_bytes, 4096);
	assert_int_equal(limits->queue_bytes_total, 5000);
	assert_int_equal(limits->full_queue, FULL_QUEUE_DROP_OLDEST);
	assert_int_equal(limits->sessions, 11);
	assert_int_equal(limits->subscriptions, 12);
	assert_int_equal(limits->subscriptions_per_session, 13);
	assert_int_equal(limits->retained, 14);
	assert_int_equal(limits->retained_bytes, 1500);
	assert_int_equal(limits->inflight, 16);
	assert_int_equal(limits->receive_maximum, 17);
	assert_int_equal(limits->max_qos, 0);
	assert_false(limits->retain_available);
	assert_int_equal(limits->keep_alive, 5);
	assert_int_equal(limits->session_expiry, UINT32_MAX - 1);
	assert_int_equal(limits->flapping, 0);
	assert_int_equal(limits->flapping_ban, 86400);
	assert_int_equal(limits->login_failures, 0);
	assert_int_equal(limits->login_ban, 7);
	assert_int_equal(limits->connect_rate, 8);
	assert_int_equal(limits->message_rate, 9);
	assert_int_equal(limits->byte_rate, 10);
}

static void check_hearth(const struct config *c)
{
	assert_string_equal(c->data_dir, "/srv/my hub");
	assert_string_equal(c->node, "attic-2");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_true(c->scram);
	assert_string_equal(c->server_reference, "hub2:1883 [::1]:8883");
	assert_true(c->server_moved);
	assert_string_equal(c->response_information, "reply/%c");
}

static void check_secure(const struct listener_options *l)
{
	assert_int_equal(l->type, LISTENER_WSS);
	assert_int_equal(l->tls_user, TLS_USER_SAN_EMAIL);
	assert_int_equal(l->tls_min, 1);
	assert_int_equal(l->tls_sni.count, 3);
	assert_string_equal(l->tls_sni.names[2], "/f /n");
}

static void check_others(const struct config *c)
{
	assert_int_equal(c->listeners[0].max_packet_size, 1024);
	assert_int_equal(c->listeners[0].max_keep_alive, 60);
	assert_int_equal(c->listeners[0].users.count, 2);
	assert_string_equal(c->listeners[0].users.names[1], "old hall");
	check_local(&c->listeners[2]);
	check_pages(&c->listeners[3]);
	check_secure(&c->listeners[4]);
}

static void check_backup(const struct config *c)
{
	assert_false(c->backup_nightly);
	assert_int_equal(c->backup_hour, 23);
	assert_int_equal(c->backup_keep, 365);
	assert_true(c->backup_history);
	assert_string_equal(c->backup_path, "/mnt");
	assert_string_equal(c->backup_passphrase_file, "/etc/p");
	assert_int_equal(c->state_mb, 16384);
	assert_int_equal(c->history_mb, 16);
	assert_int_equal(c->ballast_mb, 0);
}

static void check_gpio(const struct config *c)
{
	assert_int_equal(c->gpio_backend, CONFIG_GPIO_SIM);
	assert_string_equal(c->gpio_program, "none");
	assert_false(c->dialects.to_homeassistant);
	assert_string_equal(c->dialects.homeassistant, "ha");
	assert_true(c->dialects.homie);
	assert_true(c->dialects.tasmota);
}

static void test_every_key_reaches_its_field(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# comment\r\n; another\r\n"
		"[hearth]\r\n data_dir = /srv/my hub \r\nnode=attic-2\r\n"
		"log_level=debug\r\nscram=yes\r\nserver_moved=yes\n"
		"server_reference=hub2:1883 [::1]:8883\n"
		"response_information=reply/%c\n"
		"[listener lan]\naddress=::\nport=1\nanonymous=yes\n"
		"max_connections=7\npacket_size=1024\nkeep_alive=60\n"
		"users=kitchen, old hall\n"
		"[listener b]\ntype=tcp\nport=65535\naddress=fe80::1%eth0\n"
		"[ listener  local ]\ntype=unix\npath=/run/a=b\nuser=u\n"
		"mode=600\ngroup=users\n"
		"[listener page]\ntype=ws\nport=9001\norigin=any\n"
		"origin = https://a:1, http://b\nproxy_protocol = yes\n"
		"proxy_from = 192.0.2.0/24, ::1\nmount_point=a/b/\n"
		"[listener s]\ntype=wss\nport=9002\ntls_cert=/c\n"
		"tls_key=/k\ntls_min=1.3\ntls_client_ca=/ca\n"
		"tls_user=san-email\ntls_sni=/d /l, /e /m\ntls_sni=/f /n\n"
		"[web]\naddress=0.0.0.0\nport=0\ntls_cert=/c\ntls_key=/k\n"
		"host = one, two\nhost=three\n"
		"[gpio]\nbackend=sim\nprogram=none\nhomeassistant=no\n"
		"homeassistant_prefix=ha\nhomie=yes\ntasmota=yes\n"
		"[backup]\nnightly=no\nhour=23\nkeep=365\nhistory=yes\n"
		"path=/mnt\npassphrase_file=/etc/p\n"
		"[store]\nstate_mb=16384\nhistory_mb=16\nballast_mb=0\n"
		"[limits]\nconnections=1\npacket_size=2048\nqueue_messages=3\n"
		"queue_bytes=4096\nqueue_bytes_total=5000\n"
		"full_queue=drop-oldest\nsessions=11\nsubscriptions=12\n"
		"subscriptions_per_session=13\nretained=14\n"
		"retained_bytes=1500\ninflight=16\nreceive_maximum=17\n"
		"max_qos=0\nretain_available=no\nkeep_alive=5\nsession_expiry="
		"4294967294\n"
		"flapping=0\nflapping_ban=86400\nlogin_failures=0\n"
		"login_ban=7\nconnect_rate=8\nmessage_rate=9\nbyte_rate=10";
	struct reports reports;
	struct config *c;

	(void)state;
	assert_int_equal(parse(text, &c, &reports), 0);
	assert_string_equal(reports.text, "");
	check_hearth(c);

	assert_int_equal(c->listener_count, 5);
	assert_string_equal(c->listeners[0].name, "lan");
	assert_int_equal(c->listeners[0].type, LISTENER_TCP);
	assert_string_equal(c->listeners[0].address, "::");
	assert_int_equal(c->listeners[0].port, 1);
	assert_true(c->listeners[0].anonymous);
	assert_null(c->listeners[0].user);
	assert_int_equal(c->listeners[0].max_connections, 7);
	assert_int_equal(c->listeners[1].type, LISTENER_TCP);
	assert_int_equal(c->listeners[1].port, 65535);
	assert_false(c->listeners[1].anonymous);
	check_others(c);

	assert_string_equal(c->web_address, "0.0.0.0");
	assert_int_equal(c->web_port, 0);
	assert_string_equal(c->tls_cert, "/c");
	assert_string_equal(c->tls_key, "/k");
	assert_int_equal(c->hosts.count, 3);
	assert_string_equal(c->hosts.names[0], "one");
	assert_string_equal(c->hosts.names[1], "two");
	assert_string_equal(c->hosts.names[2], "three");
	check_gpio(c);
	check_backup(c);
	check_limits(&c->limits);
	config_free(c);
}

/* Nobody is let in, and from nowhere else, unless the file says so. */
static void test_defaults_are_closed(void **state)
{
	struct reports reports;
	struct config *c;

	(void)state;
	assert_int_equal(parse(LAN, &c, &reports), 0);
	assert_string_equal(c->data_dir, "/var/lib/hearth");
	assert_true(strlen(c->node) > 0);
	assert_null(strpbrk(c->node, "/+#."));
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_false(c->scram);
	assert_null(c->server_reference);
	assert_null(c->response_information);
	assert_string_equal(c->listeners[0].address, "127.0.0.1");
	assert_false(c->listeners[0].anonymous);
	assert_null(c->listeners[0].user);
	assert_int_equal(c->listeners[0].max_connections, 0);
	assert_int_equal(c->listeners[0].origins.count, 0);
	assert_int_equal(c->listeners[0].mode, 0660);
	assert_string_equal(c->web_address, "127.0.0.1");
	assert_int_equal(c->web_port, 8080);
	assert_null(c->tls_cert);
	assert_int_equal(c->hosts.count, 0);
	assert_int_equal(c->gpio_backend, CONFIG_GPIO_AUTO);
	assert_string_equal(c->gpio_program, "auto");
	assert_int_equal(c->max_delay, 10);
	assert_int_equal(c->state_mb, LIMIT_STATE_MB);
	assert_int_equal(c->history_mb, LIMIT_HISTORY_MB);
	assert_int_equal(c->ballast_mb, LIMIT_BALLAST_MB);
	assert_int_equal(c->limits.connections, LIMIT_CONNECTIONS);
	assert_int_equal(c->limits.packet_size, LIMIT_PACKET_SIZE);
	assert_int_equal(c->limits.queue_messages, LIMIT_QUEUE_MESSAGES);
	assert_int_equal(c->limits.queue_bytes, LIMIT_QUEUE_BYTES);
	assert_int_equal(c->limits.queue_bytes_total, LIMIT_QUEUE_BYTES_TOTAL);
	assert_int_equal(c->limits.full_queue, FULL_QUEUE_REFUSE);
	assert_int_equal(c->limits.sessions, LIMIT_SESSIONS);
	assert_int_equal(c->limits.subscriptions, LIMIT_SUBSCRIPTIONS);
	assert_int_equal(c->limits.retained, LIMIT_RETAINED);
	assert_int_equal(c->limits.max_qos, 2);
	assert_true(c->limits.retain_available);
	assert_int_equal(c->limits.keep_alive, LIMIT_KEEP_ALIVE);
	assert_int_equal(c->limits.session_expiry, LIMIT_SESSION_EXPIRY);
	assert_int_equal(c->limits.flapping, LIMIT_FLAPPING);
	assert_int_equal(c->limits.flapping_ban, LIMIT_FLAPPING_BAN);
	assert_int_equal(c->limits.login_failures, LIMIT_LOGIN_FAILURES);
	assert_int_equal(c->limits.login_ban, LIMIT_LOGIN_BAN);
	assert_int_equal(c->limits.connect_rate, LIMIT_CONNECT_RATE);
	assert_int_equal(c->limits.message_rate, LIMIT_MESSAGE_RATE);
	assert_int_equal(c->limits.byte_rate, LIMIT_BYTE_RATE);
	config_free(c);
}

static void test_seventeen_listeners_are_one_too_many(void **state)
{
	char text[1024] = "";
	struct reports reports;
	struct config *config;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 16; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[listener l%d]\nport=0\n", i);
	assert_int_equal(parse(text, &config, &reports), 0);
	assert_int_equal(config->listener_count, 16);
	config_free(config);

	snprintf(text + len, sizeof(text) - len, "[listener x]\nport=0\n");
	assert_int_equal(parse(text, &config, &reports), -EINVAL);
	assert_string_equal(reports.text,
			    "33: expected at most 16 listeners\n");
}

static void test_a_nul_byte_is_refused(void **state)
{
	static const char text[] = LAN "[gpio]\0]\n";
	struct reports reports = { 0 };
	struct config *config;

	(void)state;
	assert_int_equal(config_parse(text, sizeof(text) - 1, &config, collect,
				      &reports),
			 -EINVAL);
	assert_string_equal(reports.text, "3: holds a NUL byte\n");
}

static void test_a_huge_file_is_refused(void **state)
{
	struct reports reports = { 0 };
	struct config *config;
	char *text = malloc(CONFIG_SIZE_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CONFIG_SIZE_MAX + 1);
	assert_int_equal(config_parse(text, CONFIG_SIZE_MAX + 1, &config,
				      collect, &reports),
			 -EINVAL);
	assert_string_equal(reports.text, "0: expected at most 64 KiB\n");
	free(text);
}

static void test_a_file_that_is_not_there_is_reported(void **state)
{
	struct reports reports = { 0 };
	struct config *config;

	(void)state;
	assert_int_equal(config_load("/nonexistent/hearth.conf", &config,
				     collect, &reports),
			 -ENOENT);
	assert_string_equal(reports.text, "0: No such file or directory\n");

	reports = (struct reports){ 0 };
	assert_int_equal(config_load("/", &config, collect, &reports), -EISDIR);
	assert_string_equal(reports.text, "0: Is a directory\n");
}

static void test_parse_survives_allocation_failure(void **state)
{
	static const char text[] =
		LAN "[web]\nhost = a, b\n[hearth]\nnode = n\n"
		    "[listener b]\ntype=unix\npath=/p\nuser=u\n";
	struct reports reports;
	struct config *config;
	unsigned int n = 0;
	int r;

	(void)state;
	do {
		failing_malloc_arm(n++);
		r = parse(text, &config, &reports);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(config);
		assert_string_equal(reports.text, "");
	} while (n < 100);

	assert_int_equal(r, 0);
	assert_true(n > 12);
	config_free(config);
}

static char *read_example(void)
{
	FILE *file = fopen(EXAMPLE, "re");
	char *text = calloc(1, CONFIG_SIZE_MAX);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, CONFIG_SIZE_MAX - 1, file) > 0);
	fclose(file);
	return text;
}

/* etc/hearth.conf is what people start from: it must name every key, and the
 * defaults it claims must be the defaults. */
static void test_the_example_names_every_key_and_default(void **state)
{
	char *text = read_example();
	struct reports reports;
	struct config *config;
	size_t count;
	const struct config_field *fields = config_fields(&count);

	(void)state;
	assert_int_equal(parse(text, &config, &reports), 0);
	assert_string_equal(reports.text, "");
	config_free(config);

	for (size_t i = 0; i < count; i++) {
		char wanted[128];
		char *section;
		char *next;
		char *found;

		snprintf(wanted, sizeof(wanted), "\n[%s", fields[i].section);
		section = strstr(text, wanted);
		assert_non_null(section);
		/* Listeners have several examples. */
		next = strcmp(fields[i].section, "listener") == 0
			       ? strstr(section + 1, "\n[web]")
			       : strstr(section + 1, "\n[");
		snprintf(wanted, sizeof(wanted), "%s = %s%s", fields[i].key,
			 fields[i].initial ? fields[i].initial : "",
			 fields[i].initial ? "\n" : "");
		found = strstr(section, wanted);
		if (!found || (next && found > next))
			fail_msg("etc/hearth.conf: [%s] has no %s",
				 fields[i].section, wanted);
	}
	free(text);
}

/* What a reload has to tell: these and no others. */
static void test_changed_keys_are_seen(void **state)
{
	static const char *const changed[] = { "node",	    "log_level",
					       "tls_cert",  "tls_key",
					       "host",	    "backend",
					       "keep_alive" };
	struct config *one, *same, *other;
	struct reports reports;
	size_t count, seen = 0;
	const struct config_field *fields = config_fields(&count);

	(void)state;
	assert_int_equal(parse(LAN "[web]\nhost = a, b\n", &one, &reports), 0);
	assert_int_equal(
		parse(LAN "[web]\nhost = a\nhost = b\n", &same, &reports), 0);
	assert_int_equal(parse("[hearth]\nnode = x\nlog_level = debug\n" LAN
			       "[web]\nhost = a\ntls_cert = /c\ntls_key = /k\n"
			       "[gpio]\nbackend = sim\n"
			       "[limits]\nkeep_alive = 5\n",
			       &other, &reports),
			 0);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].section, "listener") == 0)
			continue;
		assert_true(config_field_same(&fields[i], one, same));
		if (config_field_same(&fields[i], one, other))
			continue;
		assert_string_equal(fields[i].key, changed[seen++]);
		assert_true(other->lines[i] > 0);
	}
	assert_int_equal(seen, sizeof(changed) / sizeof(changed[0]));
	config_free(one);
	config_free(same);
	config_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake_is_told_with_its_line),
		cmocka_unit_test(test_all_mistakes_are_told_at_once),
		cmocka_unit_test(test_every_key_reaches_its_field),
		cmocka_unit_test(test_defaults_are_closed),
		cmocka_unit_test(test_seventeen_listeners_are_one_too_many),
		cmocka_unit_test(test_a_nul_byte_is_refused),
		cmocka_unit_test(test_a_huge_file_is_refused),
		cmocka_unit_test(test_a_file_that_is_not_there_is_reported),
		cmocka_unit_test(test_parse_survives_allocation_failure),
		cmocka_unit_test(test_the_example_names_every_key_and_default),
		cmocka_unit_test(test_changed_keys_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
