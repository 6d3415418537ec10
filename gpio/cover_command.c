#include "gpio/cover_command.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "gpio/topics.h"

static bool take_word(const char *text, struct cover_command *out)
{
	if (strcasecmp(text, "OPEN") == 0)
		out->position = 100;
	else if (strcasecmp(text, "CLOSE") == 0)
		out->position = 0;
	else if (strcasecmp(text, "STOP") == 0)
		out->stop = true;
	else
		return false;
	return true;
}

static bool take_position(json_t *value, struct cover_command *out)
{
	double position = json_number_value(value);

	if (!json_is_number(value) || !(position >= 0 && position <= 100))
		return false;
	out->position = position;
	return true;
}

static const char *take_id(json_t *value, struct cover_command *out)
{
	if (value && !json_is_integer(value) &&
	    !(json_is_string(value) &&
	      json_string_length(value) <= COMMAND_ID_MAX))
		return "id must be a whole number or a text of 64 bytes";
	out->id = json_incref(value);
	return NULL;
}

static const char *take_object(json_t *document, struct cover_command *out)
{
	json_t *state = json_object_get(document, "state");
	json_t *position = json_object_get(document, "position");
	json_t *id = json_object_get(document, "id");

	if (!state == !position)
		return "either state or position must be there";
	if (json_object_size(document) != (id ? 2u : 1u))
		return "unknown member; state, position and id are known";
	if (state && !(json_is_string(state) &&
		       take_word(json_string_value(state), out)))
		return "state must be OPEN, CLOSE or STOP";
	if (position && !take_position(position, out))
		return "position must be from 0 to 100";
	return take_id(id, out);
}

static const char *take(json_t *document, struct cover_command *out)
{
	if (json_is_object(document))
		return take_object(document, out);
	if (take_position(document, out))
		return NULL;
	return "must be OPEN, CLOSE, STOP or from 0 to 100";
}

int cover_command_parse(struct slice payload, struct cover_command *out,
			const char **reason)
{
	char word[8] = "";
	json_t *document;

	*out = (struct cover_command){ 0 };
	if (payload.len > COMMAND_MAX) {
		*reason = "too long";
		return -EINVAL;
	}
	if (payload.len < sizeof(word))
		memcpy(word, payload.data, payload.len);
	if (take_word(word, out))
		return 0;

	document = json_loadb((const char *)payload.data, payload.len,
			      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	*reason = document ? take(document, out)
			   : "neither OPEN, CLOSE, STOP, a position nor "
			     "valid JSON";
	json_decref(document);
	if (*reason)
		cover_command_free(out);
	return *reason ? -EINVAL : 0;
}

void cover_command_free(struct cover_command *command)
{
	json_decref(command->id);
	command->id = NULL;
}
