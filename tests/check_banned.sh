#!/bin/sh
# Functions that are not used here, because each has a safer sister: strcpy
# (memcpy with a length), sprintf (snprintf), strtok (strsep), ato* and sscanf
# (strtol, which tells errors), rand (getrandom), system and popen (posix_spawn),
# alloca (a limit and malloc). Arguments: the tree (default: this one).
cd "${1:-$(dirname "$0")/..}" || exit 2

banned='strcpy|strcat|sprintf|vsprintf|gets|strncpy|strncat|strtok|strtok_r'
banned="$banned|atoi|atol|atoll|atof|sscanf|alloca|rand|srand|random|system|popen"
banned="$banned|mktemp|tmpnam"

# Comments and strings are cut away first, roughly: this is a check, no parser.
found=$(find broker db web gpio ctl programs tests -name '*.[ch]' \
	-not -path '*/node_modules/*' -not -path '*/dist/*' |
	while read -r file; do
		sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's,/\*.*\*/,,g' \
			-e 's,//.*,,' -e 's/^[ \t]*\*[ /].*//' -e 's,/\*.*,,' "$file" |
			grep -nE "(^|[^A-Za-z0-9_])($banned)[ ]*\(" | sed "s,^,$file:,"
	done)
[ -z "$found" ] && exit 0
printf '%s\nbanned: see tests/check_banned.sh\n' "$found"
exit 1
