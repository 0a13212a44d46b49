"""From result files to what people read: tables, contact sheets, figures and the HTML report."""

from fusionzoo.report.comparison import MARK, comparison, rule_of
from fusionzoo.report.figures import write_figures
from fusionzoo.report.page import write_page
from fusionzoo.report.sheets import contact_sheet

__all__ = ["MARK", "comparison", "contact_sheet", "rule_of", "write_figures", "write_page"]
