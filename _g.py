import sys
from forecast.storage.caches import use_cache_folder
use_cache_folder()
from tests.benchmarks.growth import curves
for c in curves(0.05): print(f"{c.what:30} {c.stage:36} {[f'{s:.3g}' for s in c.seconds]} {c.exponent:.2f} {c.linear}", flush=True)
