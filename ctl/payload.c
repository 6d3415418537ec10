#include "ctl/payload.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

int payload_put(json_t *object, const char *data, size_t len)
{
	/* NULL when it is no UTF-8. */
	json_t *text = json_stringn(data, len);
	char *base64;
	int r;

	if (text)
		return json_object_set_new(object, "payload", text) ? -ENOMEM
								    : 0;
	if (len > INT_MAX / 2)
		return -ENOMEM;
	base64 = malloc((len + 2) / 3 * 4 + 1);
	if (!base64)
		return -ENOMEM;
	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)data,
			(int)len);
	r = json_object_set_new(object, "payload_base64", json_string(base64));
	free(base64);

	return r ? -ENOMEM : 0;
}

static int decode(const char *base64, size_t base64_len, char **out,
		  size_t *len)
{
	char *data;
	int n;

	if (base64_len > INT_MAX || base64_len % 4 != 0)
		return -EINVAL;
	data = malloc(base64_len / 4 * 3 + 1);
	if (!data)
		return -ENOMEM;
	n = EVP_DecodeBlock((unsigned char *)data,
			    (const unsigned char *)base64, (int)base64_len);
	if (n < 0) {
		free(data);
		return -EINVAL;
	}
	*len = (size_t)n;
	/* It counts the padding as data. */
	for (size_t i = 1; i <= 2 && i <= base64_len; i++)
		*len -= base64[base64_len - i] == '=';
	*out = data;

	return 0;
}

int payload_get(const json_t *object, char **out, size_t *len)
{
	const json_t *text = json_object_get(object, "payload");
	const json_t *base64 = json_object_get(object, "payload_base64");

	if (json_is_string(text)) {
		*len = json_string_length(text);
		*out = malloc(*len + 1);
		if (!*out)
			return -ENOMEM;
		memcpy(*out, json_string_value(text), *len);
		(*out)[*len] = '\0';
		return 0;
	}
	if (!json_is_string(base64))
		return -EINVAL;

	return decode(json_string_value(base64), json_string_length(base64),
		      out, len);
}
