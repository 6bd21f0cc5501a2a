"""Load every config and split of a dataset folder with plain `datasets`, also streaming, and print what came, as JSON.

Run in an environment of its own (`python read_all.py FOLDER`), so that other versions of `datasets` can be tried.
"""

import json
import sys

import datasets

folder = sys.argv[1]
datasets.disable_progress_bars()
told = {"datasets": datasets.__version__, "default": datasets.load_dataset(folder, split="train").info.config_name, "configs": {}}
for config in datasets.get_dataset_config_names(folder):
    whole = datasets.load_dataset(folder, config)
    for split, rows in whole.items():
        streamed = datasets.load_dataset(folder, config, split=split, streaming=True)
        assert list(streamed) == list(rows), f"{config} {split}: streaming gives other rows"
        assert rows.info.version == datasets.load_dataset_builder(folder, config).info.version
        told["configs"].setdefault(config, {})[split] = {"rows": rows.num_rows, "features": rows.features._to_yaml_list()}
print(json.dumps(told))
