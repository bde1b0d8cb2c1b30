"""Named pipelines of FSA: ordered phases of passes, with postconditions that are checked."""

if __name__ != "fsa.pipelines":
    raise ImportError(f"import fsa.pipelines, not {__name__}: a second copy would register twice")
