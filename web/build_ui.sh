#!/bin/sh
# build_ui.sh OUTDIR DEPFILE: the dashboard, for embed.py. A release tarball
# carries it built in ui/dist; else node makes it, from packages of the lock file.
set -eu
out=$(realpath "$1")
depfile=$(realpath "$2")
root=$PWD
ui=$(realpath "$(dirname "$0")/ui")
cd "$ui"

if [ -d node_modules ]; then
	:
elif [ -f dist/manifest.tsv ]; then
	cp -r dist/. "$out"
	: >"$depfile"
	exit 0
else
	npm ci --no-audit --no-fund --loglevel=error >&2
fi
# The depfile names its target as seen from where ninja runs.
cd "$root"
exec node "$ui/build.mjs" "$out" --depfile "$depfile" >/dev/null
