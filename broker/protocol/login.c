#include "broker/protocol/login.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/core.h"
#include "broker/limits.h"
#include "broker/peer/connection.h"

int login_begin(struct connection *c, struct slice connect)
{
	struct login *login = malloc(sizeof(*login));

	if (!login)
		return -ENOMEM;
	login->connection = c;
	login->serial = c->broker->next_serial++;
	buffer_init(&login->connect, LIMIT_CONNECT_SIZE);
	if (buffer_append(&login->connect, connect.data, connect.len) < 0) {
		free(login);
		return -ENOMEM;
	}
	c->login = login;
	return 0;
}

void login_end(struct connection *c)
{
	if (!c->login)
		return;
	buffer_free(&c->login->connect);
	free(c->login);
	c->login = NULL;
}
