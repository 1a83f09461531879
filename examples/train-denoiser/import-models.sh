#!/bin/sh
# Imports networks of onnx/, all of them if none is named, into the models that come with the host. Needs a built
# repository and nothing else:
#   npm run import-models [-- ID...]
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- $(basename -s .onnx onnx/*.onnx)
for id; do
  if [ "$id" = private ]; then mode=--private; else mode=; fi
  node ../../server/dist/main.js import "onnx/$id.onnx" --id "$id" --version 1.0.0 $mode \
    --calibrate calibration --card "onnx/$id.card.json" --models ../../server/models --overwrite
done
