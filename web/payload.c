#include "web/payload.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "broker/wire/utf8.h"

static json_t *base64(struct slice bytes)
{
	unsigned char *text;
	json_t *value;

	if (bytes.len > INT_MAX / 2)
		return NULL;
	text = malloc((bytes.len + 2) / 3 * 4 + 1);
	if (!text)
		return NULL;
	EVP_EncodeBlock(text, bytes.data, (int)bytes.len);
	value = json_string((const char *)text);
	free(text);
	return value;
}

int payload_set(json_t *object, struct slice payload)
{
	bool text = utf8_valid(payload);
	json_t *value;

	value = text ? json_stringn((const char *)payload.data, payload.len)
		     : base64(payload);
	if (json_object_set_new(object, text ? "payload" : "payload_base64",
				value))
		return -ENOMEM;
	return 0;
}

json_t *payload_text(struct slice text)
{
	static const char instead[3] = { '\xef', '\xbf', '\xbd' };
	size_t len = 0;
	json_t *value;
	char *out;

	if (utf8_valid(text))
		return json_stringn((const char *)text.data, text.len);
	out = malloc(text.len * 3 + 1);
	if (!out)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] && text.data[i] < 0x80) {
			out[len++] = (char)text.data[i];
		} else {
			memcpy(out + len, instead, sizeof(instead));
			len += sizeof(instead);
		}
	}
	value = json_stringn(out, len);
	free(out);
	return value;
}

int payload_decode(const char *text, uint8_t **out, size_t *len)
{
	size_t text_len = strlen(text);
	int n;

	if (text_len % 4 || text_len > INT_MAX / 2)
		return -EINVAL;
	*out = malloc(text_len / 4 * 3 + 1);
	if (!*out)
		return -ENOMEM;
	n = EVP_DecodeBlock(*out, (const unsigned char *)text, (int)text_len);
	if (n < 0) {
		free(*out);
		return -EINVAL;
	}
	*len = (size_t)n;
	for (size_t i = text_len; i && text[i - 1] == '=' && *len; i--)
		--*len;
	return 0;
}
