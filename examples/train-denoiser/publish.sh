#!/bin/sh
# From checkpoints of train.py to models of the host: ONNX files and cards in onnx/, models in server/models.
#   sh publish.sh DATA CHECKPOINT.pt...
# Each checkpoint is ID.pt. Needs the built repository; PYTHON names another Python than python3.
set -eu
data=$1
shift
python=${PYTHON:-python3}
here=$(dirname "$0")
ids=
for checkpoint; do
  id=$(basename "$checkpoint" .pt)
  "$python" "$here/export_onnx.py" "$checkpoint" "$here/onnx/$id.onnx"
  ids="$ids $id"
done
"$python" "$here/write_card.py" "$@" --data "$data" --out "$here/onnx"
sh "$here/import-models.sh" $ids
