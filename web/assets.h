/*
 * The dashboard's files, in the program since it was built, compressed
 * beforehand: answered by the browser's Accept-Encoding, with an ETag. Those
 * whose name holds a hash of what is in them are kept by browsers for ever.
 */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

enum asset_coding { ASSET_PLAIN, ASSET_GZIP, ASSET_BROTLI, ASSET_CODINGS };

struct asset {
	const char *path; /* as asked for */
	const char *type;
	const char *etag; /* of the plain bytes, without quotes */
	bool immutable;
	struct {
		const uint8_t *data; /* NULL: not in this coding */
		const uint8_t *end;
	} bytes[ASSET_CODINGS];
};

/* Made by embed.py. */
extern const struct asset assets_table[];
extern const size_t assets_count;

/* The best coding of asset that an Accept-Encoding header allows. */
enum asset_coding assets_choose(const struct asset *asset, const char *accept);

/* Answer with the file of the request's path, or 404. */
void assets_reply(struct request *request);
void assets_reply_openapi(struct request *request);

#endif
