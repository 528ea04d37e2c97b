"""Runs in the peer's own environment: dicompyler-core on one structure set, once for every line of input."""

import json
import resource
import sys
import time

import numpy as np
import pydicom
from dicompylercore import dicomparser, dvhcalc


def main() -> None:
    structure_path, dose_path = sys.argv[1:]
    for _ in sys.stdin:
        began = time.process_time()
        structure_set, dose = pydicom.dcmread(structure_path), pydicom.dcmread(dose_path)
        structures = dicomparser.DicomParser(structure_set).GetStructures()
        read = time.process_time()
        found = {}
        for number, structure in structures.items():
            dvh = dvhcalc.get_dvh(structure_set, dose, number)
            usable = dvh.counts.size > 0 and np.max(dvh.counts) > 0
            found[structure["name"]] = [float(dvh.volume), float(dvh.mean)] if usable else None
        ended = time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"total": ended - began, "dvh": ended - read, "peak_mib": peak, "found": found}), flush=True)


if __name__ == "__main__":
    main()
