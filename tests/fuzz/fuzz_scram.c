/*
 * The server's side of SCRAM: client-first up to the first NUL, client-final
 * behind it. Whatever comes, an unknown user never gets in, and a known one only
 * by the proof that only the password gives: none that the fuzzer will find.
 */
#include "broker/protocol/scram.h"
#include "tests/fuzz/fuzz.h"

static void play(struct slice first, struct slice final, bool known)
{
	static const struct scram_keys keys = { .iterations = 4096 };
	struct scram *scram = NULL;
	struct slice out;

	if (scram_first(first, &scram) < 0) {
		assert(!scram);
		return;
	}
	assert(scram_user(scram).len > 0);
	assert(scram_user(scram).len <= SCRAM_NAME_MAX);
	out = scram_challenge(scram, &keys, known, "3rfcNHYJY1ZVvWVs");
	assert(out.len > 2 && memcmp(out.data, "r=", 2) == 0);
	assert(scram_final(scram, final, &out) < 0);
	scram_free(scram);
}

static void keys_of(const uint8_t *data, size_t size)
{
	struct scram_keys keys;
	char text[SCRAM_TEXT_SIZE], again[SCRAM_TEXT_SIZE];

	if (size >= sizeof(text))
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!scram_keys_parse(text, &keys))
		return;
	scram_keys_format(&keys, again);
	assert(strlen(again) == strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	const size_t len = nul ? (size_t)(nul - data) : size;
	const size_t rest = nul ? size - len - 1 : 0;
	struct fuzz_copy first = fuzz_copy(data, len);
	struct fuzz_copy final = fuzz_copy(nul ? nul + 1 : data, rest);

	play(first.bytes, final.bytes, true);
	play(first.bytes, final.bytes, false);
	keys_of(data, size);
	fuzz_copy_free(&final);
	fuzz_copy_free(&first);
	return 0;
}
