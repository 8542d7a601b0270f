#!/usr/bin/env bash
# Renders the charts with helm into charts/golden, which `cargo test` reads without helm. Definitions and roles are left
# out: they are written from code. HELM names the program, else the one on the path.
set -euo pipefail
cd "$(dirname "$0")/.."
helm=${HELM:-helm}
for case in default everything agent; do
  chart=jiuzhou left_out=crds.enabled=false,rbac.enabled=false
  [ "$case" = agent ] && chart=jiuzhou-agent left_out=rbac.enabled=false,admission.enabled=false
  sum=$(find "charts/$chart" -type f ! -name crds.yaml ! -name rbac.yaml ! -name README.md | LC_ALL=C sort |
    xargs sha256sum | sha256sum | cut -d' ' -f1)
  values=()
  [ -f "charts/golden/$case.values.yaml" ] && values=(--values "charts/golden/$case.values.yaml")
  {
    echo "# Rendered by helm from the chart $sum"
    "$helm" template "$chart" "charts/$chart" --namespace jiuzhou-system --kube-version 1.33.0 \
      --set "$left_out" "${values[@]}"
  } > "charts/golden/$case.yaml.new"
  mv "charts/golden/$case.yaml.new" "charts/golden/$case.yaml"
done
