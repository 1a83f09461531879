#!/bin/sh
# Imports both networks of onnx/ into the models that come with the host. Needs a built repository and nothing else:
#   npm run import-models
set -eu
cd "$(dirname "$0")"
for id in linear interactive; do
  node ../../server/dist/main.js import "onnx/$id.onnx" --id "$id" --version 1.0.0 \
    --calibrate calibration --card "onnx/$id.card.json" --models ../../server/models --overwrite
done
