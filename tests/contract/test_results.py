"""The page of measured results says what the result files say."""

import importlib.util


def test_the_page_is_that_of_the_result_files(repository):
    spec = importlib.util.spec_from_file_location("report", repository / "benchmarks" / "report.py")
    report = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(report)
    assert report.PAGE.read_text(encoding="utf-8") == report.page(), "run: python benchmarks/report.py"
