"""Load every config and split of a dataset folder with plain `datasets`, also streaming, and print what came, as JSON.

Run in an environment of its own (`python read_all.py FOLDER [CONFIG...]`), so that other versions of `datasets` can be tried;
with names of configs, these alone are streamed as well.
"""

import json
import sys

import datasets

folder, *some = sys.argv[1:]
datasets.disable_progress_bars()
told = {"datasets": datasets.__version__, "default": datasets.load_dataset(folder, split="train").info.config_name, "configs": {}}
for config in datasets.get_dataset_config_names(folder):
    # each call reads the card anew, which takes most of the time: one a config, and one to stream it
    whole = datasets.load_dataset(folder, config)
    streamed = datasets.load_dataset(folder, config, streaming=True) if config in some or not some else None
    assert streamed is None or list(streamed) == list(whole)
    for split, rows in whole.items():
        if streamed is not None:
            assert list(streamed[split]) == list(rows), f"{config} {split}: streaming gives other rows"
            assert rows.info.version == streamed[split].info.version
        told["configs"].setdefault(config, {})[split] = {"rows": rows.num_rows, "features": rows.features._to_yaml_list()}
print(json.dumps(told))
