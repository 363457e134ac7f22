"""RESEARCH: a package of one record, which proves itself where it is installed.

    packageable      whether a record may be packaged
    generated_rows   rows for the self-test, made from the schema
    contents         every file of the package
    model_card, bill_of_materials
                     what people and auditors read
    wheel            the files as a wheel, the same bytes each time
    prove            the wheel in a clean environment
    package          the whole of it

What runs where it is installed is `pipeline_lib.scoring.installed`.
"""
