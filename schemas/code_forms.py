"""What a code of each system looks like, in capitals, without dots: a regular expression by system.

The forms are wide: they hold the national modifications of a classification (Swedish ICD-9 with letters, Danish
ICD-8 of five digits, Finnish ICD-10 under ZA, ICD-10-CM, -GM and -CN) and headings above a code, which code lists
name too. They are there to find what is no code of the system at all: a code of another system, several codes in
one cell, a text.
"""

from __future__ import annotations

# What any code is made of; the form of a system that has none here.
PLAIN_CODE = r"^[A-Z0-9]+$"

# Of a drug, or of a class of drugs.
ATC_CODE = "[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?"

# How a code of ICD-10 may end; and its chapter F, whose codes have letters within for the degree of a dementia only
# (F01.A11), so that two codes without a sign between them (F000G300) are told from one.
_ICD10_END = "([A-Z]{0,2}[0-9]?[A-Z]?|X[0-9A-Z]{1,4})"
_ICD10_F = f"F(0[1-3][A-C][0-9]{{0,2}}|[0-9]{{1,6}}{_ICD10_END})"

FORMS: dict[str, str] = {
    "icd10": rf"^({_ICD10_F}|(ZA|[A-EG-Z])[0-9][0-9A-Z]?[0-9A-Z]?[0-9]{{0,3}}{_ICD10_END})$",
    "icd9": r"^([0-9]{3}[0-9A-Z]{0,3}|[EV][0-9]{2}[0-9A-Z]{0,4})$",
    "icd8": r"^([0-9]{3}[0-9A-Z]{0,4}|[A-Z][0-9]{2}[0-9A-Z]{0,4})$",
    "icpc2": r"^[A-Z]?[0-9]{2}[0-9A-Z]{0,4}$",
    "snomed": r"^[0-9]{6,18}$",
    "omop": r"^[0-9]{1,19}(\+[0-9]{1,19})*$",
    "kva": r"^[0-9A-Z]{2,8}$",
    "sks": r"^[0-9A-Z]{2,12}$",
    "cpt": r"^[0-9]{4}[0-9A-Z]([0-9A-Z]{2}){0,4}$",
    "hcpcs": r"^[A-Z][0-9]{4}([0-9A-Z]{2}){0,4}$",
    "icd10pcs": r"^[0-9A-HJ-NP-Z]{3,7}$",
    "icd9proc": r"^[0-9]{2,4}$",
    "ops": r"^[0-9]{3}[0-9A-Z]{0,4}[BLR]?$",
    "opcs4": r"^[A-Z][0-9]{2}([0-9]{0,2}|X)$",
    "chop": r"^Z?[0-9]{2}[0-9A-Z]{0,6}$",
}
