#include "broker/history.h"

#include <stdlib.h>

struct history_request *history_request_new(struct slice filter)
{
	struct history_request *request =
		calloc(1, sizeof(*request) + filter.len);

	if (!request)
		return NULL;
	request->filter_len = filter.len;
	memcpy(request->filter, filter.data, filter.len);
	return request;
}

void history_request_clear(struct history_request *request)
{
	for (size_t i = 0; i < request->count; i++)
		message_unref(request->rows[i].message);
	request->count = 0;
}

void history_request_free(struct history_request *request)
{
	if (!request)
		return;
	history_request_clear(request);
	for (size_t i = request->tail_next; i < request->tail_count; i++)
		message_unref(request->tail[i]);
	free(request->tail);
	free(request);
}
