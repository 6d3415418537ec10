#include "gpio/topics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "broker/base/json_text.h"
#include "broker/wire/utf8.h"
#include "gpio/tallies.h"
#include "gpio/words.h"

bool topics_node_valid(const char *node)
{
	size_t len = strlen(node);

	if (len < 1 || len > NODE_NAME_MAX || !utf8_valid(slice_str(node)))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)node[i] < 0x20 || node[i] == 0x7f ||
		    strchr("/+#", node[i]))
			return false;
	return true;
}

/* These are made at every edge, so not by printf. What does not fit is cut off.
 * Returns the new end. */
static size_t join(char out[TOPICS_SIZE], size_t at, const char *text)
{
	size_t len = strnlen(text, TOPICS_SIZE - 1 - at);

	memcpy(out + at, text, len);
	out[at + len] = '\0';
	return at + len;
}

const char *topics_pin(char out[TOPICS_SIZE], const char *node,
		       const char *kind, const char *name, const char *suffix)
{
	size_t at = join(out, 0, "hearth/");

	at = join(out, join(out, at, node), "/");
	at = join(out, join(out, at, kind), "/");
	join(out, join(out, at, name), suffix);
	return out;
}

const char *topics_node(char out[TOPICS_SIZE], const char *node,
			const char *leaf)
{
	size_t at = join(out, join(out, 0, "hearth/"), node);

	join(out, join(out, at, "/"), leaf);
	return out;
}

const char *topics_hub(char out[TOPICS_SIZE], const char *node,
		       const char *leaf)
{
	size_t at = join(out, join(out, 0, "$hearth/gpio/"), node);

	join(out, join(out, at, "/"), leaf);
	return out;
}

static bool take_prefix(struct slice *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || memcmp(text->data, prefix, len) != 0)
		return false;
	text->data += len;
	text->len -= len;
	return true;
}

static bool take_suffix(struct slice *text, const char *suffix)
{
	size_t len = strlen(suffix);

	if (text->len < len ||
	    memcmp(text->data + text->len - len, suffix, len) != 0)
		return false;
	text->len -= len;
	return true;
}

static enum topics_kind parse_hub(const char *node, struct slice rest)
{
	if (!take_prefix(&rest, node) || !take_prefix(&rest, "/"))
		return TOPIC_OTHER;
	if (slice_equal(rest, slice_str("config")))
		return TOPIC_CONFIG;
	if (slice_equal(rest, slice_str("sim")))
		return TOPIC_SIM;
	return TOPIC_OTHER;
}

enum topics_kind topics_parse(const char *node, struct slice topic,
			      struct slice *name)
{
	enum topics_kind kind;

	*name = (struct slice){ 0 };
	if (take_prefix(&topic, "$hearth/gpio/"))
		return parse_hub(node, topic);
	if (!take_prefix(&topic, "hearth/") || !take_prefix(&topic, node))
		return TOPIC_OTHER;

	if (take_prefix(&topic, "/in/"))
		kind = TOPIC_COUNT_SET;
	else if (take_prefix(&topic, "/out/"))
		kind = TOPIC_OUT_SET;
	else if (take_prefix(&topic, "/light/"))
		kind = TOPIC_LIGHT_SET;
	else if (take_prefix(&topic, "/cover/"))
		kind = TOPIC_COVER_SET;
	else
		return TOPIC_OTHER;
	if (!take_suffix(&topic,
			 kind == TOPIC_COUNT_SET ? "/count/set" : "/set") ||
	    memchr(topic.data, '/', topic.len))
		return TOPIC_OTHER;

	*name = topic;
	return kind;
}

static bool parse_word(struct slice text, enum logic_verb *out)
{
	static const struct {
		const char *word;
		enum logic_verb verb;
	} words[] = {
		{ "ON", LOGIC_ON },	    { "OFF", LOGIC_OFF },
		{ "TOGGLE", LOGIC_TOGGLE }, { "TRUE", LOGIC_ON },
		{ "FALSE", LOGIC_OFF },	    { "1", LOGIC_ON },
		{ "0", LOGIC_OFF },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text.len == strlen(words[i].word) &&
		    strncasecmp((const char *)text.data, words[i].word,
				text.len) == 0) {
			*out = words[i].verb;
			return true;
		}
	}
	return false;
}

static bool parse_state(json_t *value, enum logic_verb *out)
{
	if (json_is_boolean(value)) {
		*out = json_is_true(value) ? LOGIC_ON : LOGIC_OFF;
		return true;
	}
	if (json_is_integer(value) && (json_integer_value(value) == 0 ||
				       json_integer_value(value) == 1)) {
		*out = json_integer_value(value) ? LOGIC_ON : LOGIC_OFF;
		return true;
	}
	return json_is_string(value) &&
	       parse_word(slice_of(json_string_value(value),
				   json_string_length(value)),
			  out);
}

static bool take_seconds(json_t *value, uint64_t *out_ms)
{
	double seconds = json_number_value(value);

	if (!json_is_number(value) ||
	    !(seconds >= 0.001 && seconds * 1000 <= (double)LOGIC_TIME_MAX_MS))
		return false;
	*out_ms = (uint64_t)llround(seconds * 1000);
	return true;
}

static const char *take_times(json_t *document, struct logic_command *out)
{
	json_t *on_time = json_object_get(document, "on_time");
	json_t *lease = json_object_get(document, "lease");

	if (on_time && out->verb == LOGIC_OFF)
		return "on_time goes with ON or TOGGLE";
	if (on_time && !take_seconds(on_time, &out->on_time_ms))
		return "on_time must be from 0.001 s to 7 days";
	if (lease && !take_seconds(lease, &out->lease_ms))
		return "lease must be from 0.001 s to 7 days";
	return NULL;
}

static const char *take_member(const char *key, json_t *value,
			       struct topics_command *out)
{
	if (strcmp(key, "state") == 0 || strcmp(key, "on_time") == 0 ||
	    strcmp(key, "lease") == 0)
		return NULL; /* In their order, not the document's. */
	if (strcmp(key, "brightness") == 0 || strcmp(key, "transition") == 0)
		return "this output cannot be dimmed";
	if (strcmp(key, "id") != 0)
		return "unknown member; state, on_time, lease and id are known";
	if (!json_is_integer(value) &&
	    !(json_is_string(value) &&
	      json_string_length(value) <= COMMAND_ID_MAX))
		return "id must be a whole number or a text of 64 bytes";
	out->id = json_incref(value);
	return NULL;
}

static const char *take_command(json_t *document, struct topics_command *out)
{
	const char *reason;
	const char *key;
	json_t *value;

	if (!json_is_object(document))
		return "must be ON, OFF, TOGGLE or an object";
	if (!parse_state(json_object_get(document, "state"), &out->logic.verb))
		return "state must be ON, OFF or TOGGLE";

	json_object_foreach(document, key, value)
	{
		reason = take_member(key, value, out);
		if (reason)
			return reason;
	}
	return take_times(document, &out->logic);
}

/* NULL: *document is there. */
static const char *load(struct slice payload, json_t **document)
{
	json_error_t why;

	if (payload.len > COMMAND_MAX)
		return "too long";
	*document = json_loadb((const char *)payload.data, payload.len,
			       JSON_REJECT_DUPLICATES, &why);
	return *document ? NULL : "neither ON, OFF, TOGGLE nor valid JSON";
}

int topics_parse_command(struct slice payload, struct topics_command *out,
			 const char **reason)
{
	json_t *document;

	*out = (struct topics_command){ 0 };
	payload = words_trim(payload);
	if (parse_word(payload, &out->logic.verb))
		return 0;

	*reason = load(payload, &document);
	if (*reason)
		return -EINVAL;
	*reason = take_command(document, out);
	json_decref(document);
	if (*reason) {
		topics_command_free(out);
		return -EINVAL;
	}
	return 0;
}

void topics_command_free(struct topics_command *command)
{
	json_decref(command->id);
	command->id = NULL;
}

bool topics_parse_count(struct slice payload, uint64_t *out)
{
	payload = words_trim(payload);
	if (payload.len < 1 || payload.len > 16)
		return false;
	*out = 0;
	for (size_t i = 0; i < payload.len; i++) {
		if (payload.data[i] < '0' || payload.data[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(payload.data[i] - '0');
	}
	return *out <= TALLY_MAX;
}

const char *topics_state(bool on)
{
	return on ? "ON" : "OFF";
}

/* bad: something in it could not be made. */
static char *dump_and_free(json_t *document, int bad)
{
	char *text = bad ? NULL : json_text(document, JSON_COMPACT);

	json_decref(document);
	return text;
}

char *topics_result(const char *reason, bool on, json_t *id)
{
	json_t *result = json_object();
	int bad = json_object_set_new(result, "applied", json_boolean(!reason));

	if (reason)
		bad |= json_object_set_new(result, "reason",
					   json_string(reason));
	else
		bad |= json_object_set_new(result, "state",
					   json_string(topics_state(on)));
	if (id)
		bad |= json_object_set(result, "id", id);
	return dump_and_free(result, bad);
}

/* What was sent, cut to size; what is no text is shown as '?'. */
static json_t *shown(struct slice bytes)
{
	char text[ERROR_PAYLOAD_MAX];
	size_t len = bytes.len < sizeof(text) ? bytes.len : sizeof(text);
	json_t *string;

	string = json_stringn((const char *)bytes.data, len);
	if (string)
		return string;

	memset(text, '?', len);
	for (size_t i = 0; i < len; i++)
		if (bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f)
			memcpy(&text[i], &bytes.data[i], 1);
	return json_stringn(text, len);
}

char *topics_error(struct slice topic, struct slice payload, const char *reason,
		   uint64_t count)
{
	json_t *error = json_object();
	int bad = 0;

	bad |= json_object_set_new(error, "topic", shown(topic));
	bad |= json_object_set_new(error, "payload", shown(payload));
	bad |= json_object_set_new(error, "reason", json_string(reason));
	bad |= json_object_set_new(error, "count",
				   json_integer((json_int_t)count));
	return dump_and_free(error, bad);
}
