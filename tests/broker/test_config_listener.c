/* What hearth.conf may not say of a listener. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/config/config.h"

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
	{ LAN "type=udp\n",
	  "3: type = udp: expected one of tcp unix ws tls wss\n" },
	{ LAN "type=tls\n",
	  "1: [listener lan]: expected a tls_cert for this type\n" },
	{ LAN "type=wss\n",
	  "1: [listener lan]: expected a tls_cert for this type\n" },
	{ LAN "origin=any\n", "3: origin: only for type = ws and wss\n" },
	{ LAN "type=ws\norigin=https://a, b\n",
	  "4: origin = https://a, b: expected origins as https://ui.example "
	  "with ',' between\n" },
	{ LAN "type=ws\norigin=https://a/\n",
	  "4: origin = https://a/: expected origins as https://ui.example "
	  "with ',' between\n" },
	{ LAN "proxy_from=192.0.2.1\n",
	  "3: proxy_from: only with proxy_protocol = yes\n" },
	{ LAN "proxy_protocol=yes\nproxy_from=192.0.2.1, proxy\n",
	  "4: proxy_from = 192.0.2.1, proxy: expected networks as "
	  "192.0.2.0/24 with ',' between\n" },
	{ LAN "tls_sni=/c /k\ntls_min=1.3\n",
	  "3: tls_sni: expected a tls_cert as well\n"
	  "4: tls_min: expected a tls_cert as well\n" },
	{ LAN "tls_cert=/c\ntls_key=/k\ntls_sni=/c,/k\n",
	  "5: tls_sni = /c,/k: expected '/CERTIFICATE /KEY' pairs with ',' "
	  "between\n" },
	{ LAN "tls_cert=/c\ntls_key=/k\ntls_min=1.1\n",
	  "5: tls_min = 1.1: expected one of 1.2 1.3\n" },
	{ LAN "mount_point=cabin\n",
	  "3: mount_point = cabin: expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "mount_point=$SYS/\n",
	  "3: mount_point = $SYS/: expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "mount_point=a/+/\n",
	  "3: mount_point = a/+/: expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "mount_point=#/\n",
	  "3: mount_point = #/: expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "mount_point=a b/\n",
	  "3: mount_point = a b/: expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "mount_point=\n",
	  "3: mount_point = : expected the beginning of topics as "
	  "cabin/\n" },
	{ LAN "users=a,,b\n",
	  "3: users = a,,b: expected user names with ',' between\n" },
	{ LAN "packet_size=1023\n",
	  "3: packet_size = 1023: expected a number from 1024 to 268435455\n" },
	{ LAN "keep_alive=0\n",
	  "3: keep_alive = 0: expected a number from 1 to 65535\n" },
	{ LAN "group=users\n", "3: group: only for type = unix\n" },
	{ LAN "mode=0600\n", "3: mode: only for type = unix\n" },
	{ "[listener a]\ntype=unix\npath=/x\nmode=0888\n",
	  "4: mode = 0888: expected a mode as 0660\n" },
	{ "[listener a]\ntype=unix\npath=/x\nmode=01777\n",
	  "4: mode = 01777: expected a mode as 0660\n" },
	{ "[listener a]\ntype=unix\npath=/x\norigin=any\n",
	  "4: origin: only for type = ws and wss\n" },
	{ "[listener a]\ntype=unix\npath=/x\ntls_cert=/c\ntls_key=/k\n",
	  "4: tls_cert: not for type = unix\n" },
	{ LAN "address=fe80::1%\n",
	  "3: address = fe80::1%: expected a numeric address as 127.0.0.1, "
	  "0.0.0.0 or ::\n" },
	{ LAN "address=fe80::1%an-interface-name\n",
	  "3: address = fe80::1%an-interface-name: expected a numeric address "
	  "as 127.0.0.1, 0.0.0.0 or ::\n" },
	{ LAN "address=127.0.0.1%eth0\n",
	  "3: address = 127.0.0.1%eth0: expected a numeric address as "
	  "127.0.0.1, 0.0.0.0 or ::\n" },
	{ LAN "address=localhost\n",
	  "3: address = localhost: expected a numeric address as 127.0.0.1, "
	  "0.0.0.0 or ::\n" },
	{ LAN "path=/x\n", "3: path: only for type = unix\n" },
	{ LAN "user=x\n",
	  "3: user: only for type = unix, which file permissions guard\n" },
	{ LAN "max_connections=0\n",
	  "3: max_connections = 0: expected a number from 1 to 1000000\n" },
	{ "[listener a]\ntype=unix\n",
	  "1: [listener a]: expected a path for type = unix\n" },
	{ "[listener a]\ntype=unix\npath=x\n",
	  "3: path = x: expected a path that begins with '/'\n" },
	{ "[listener a]\ntype=unix\npath=/x\nport=1\naddress=::\n",
	  "5: address: a unix socket has none\n"
	  "4: port: a unix socket has none\n" },
	{ "[listener a]\ntype=unix\npath=/x\nuser=u\nanonymous=yes\n",
	  "5: anonymous: everybody here is 'user' already\n" },
	{ LAN "tls_cert = /c\n", "3: tls_cert: expected a tls_key as well\n" },
	{ LAN "tls_client_ca = /a\n",
	  "3: tls_client_ca: expected a tls_cert as well\n" },
	{ LAN "tls_cert = /c\ntls_key = /k\ntls_client_crl = /r\n",
	  "5: tls_client_crl: expected a tls_client_ca as well\n" },
	{ LAN "tls_cert = /c\ntls_key = /k\ntls_user = yes\n",
	  "5: tls_user: expected a tls_client_ca as well\n" },
};

static void test_each_mistake_is_told_with_its_line(void **state)
{
	struct reports reports;
	struct config *config;

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		int r = parse(mistakes[i].text, &config, &reports);

		assert_string_equal(reports.text, mistakes[i].reports);
		assert_int_equal(r, -EINVAL);
		assert_null(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
