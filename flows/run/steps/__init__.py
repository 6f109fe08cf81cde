"""The steps of a run. Each reads paths, calls the functions that compute or say, and writes paths.

work/buckets/NNNN/   canonical tables of one bucket of persons
work/counts/NNNN/    what the comparison needs of one part of the persons
work/restricted/     person level: episodes, trials, judgements, classifications, a file for each part; quarantine
work/release/        what may leave: tables, pages, definitions
work/checks/         what was checked and found, for the pages
work/progress.json   what a stopped run needs to go on, how far it is, and the fingerprints of what the first step wrote

While they work nobody but the user may read any of it.
"""
