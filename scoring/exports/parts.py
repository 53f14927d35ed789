"""The fixed XML parts of a workbook file: styles, list of sheets, relationships, properties. Pure.

Office Open XML (ECMA-376): 18.2 workbook, 18.3.1.99 worksheet, 18.8 styles; part 2 for the package.
"""

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import quoteattr

from scoring.exports.cells import Style, escaped, shared_string

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_FONTS = (
    '<font><sz val="10"/><name val="Calibri"/><family val="2"/></font>',
    '<font><b/><sz val="10"/><name val="Calibri"/><family val="2"/></font>',
    '<font><b/><sz val="14"/><name val="Calibri"/><family val="2"/></font>',
    '<font><b/><sz val="10"/><color rgb="FFFFFFFF"/><name val="Calibri"/><family val="2"/></font>',
)
_FILLS = (
    '<fill><patternFill patternType="none"/></fill>',
    '<fill><patternFill patternType="gray125"/></fill>',
    '<fill><patternFill patternType="solid"><fgColor rgb="FFDDE5EC"/></patternFill></fill>',
    '<fill><patternFill patternType="solid"><fgColor rgb="FFFFF4B8"/></patternFill></fill>',
    '<fill><patternFill patternType="solid"><fgColor rgb="FFB3261E"/></patternFill></fill>',
)
_FORMATS = {
    164: "0.000",
    165: "yyyy\\-mm\\-dd\\ hh:mm:ss",
    166: "0.000000",
    167: "0.0E+00",
    168: "0.00##",
}
_LOOKS: dict[Style, tuple[int, int, int, bool, bool]] = {
    Style.PLAIN: (0, 0, 0, False, False),
    Style.QUOTED: (0, 0, 0, False, True),
    Style.WRAPPED: (0, 0, 0, True, False),
    Style.WRAPPED_QUOTED: (0, 0, 0, True, True),
    Style.HEADER: (0, 1, 2, True, False),
    Style.TITLE: (0, 2, 0, False, False),
    Style.BANNER: (0, 3, 4, False, False),
    Style.INTEGER: (1, 0, 0, False, False),
    Style.NUMBER: (164, 0, 0, False, False),
    Style.MOMENT: (165, 0, 0, False, False),
    Style.INPUT: (168, 1, 3, False, False),
    Style.LIVE: (166, 0, 0, False, False),
    Style.DIFFERENCE: (167, 0, 0, False, False),
}
"""Style → number format, font, fill, wrapped, quote prefix."""


def styles() -> str:
    """The style sheet; the cell formats stand in the order of `Style`."""
    formats = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>' for number, code in _FORMATS.items()
    )
    looks = "".join(_look(*_LOOKS[style]) for style in Style)
    return (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(_FORMATS)}">{formats}</numFmts>'
        f'<fonts count="{len(_FONTS)}">{"".join(_FONTS)}</fonts>'
        f'<fills count="{len(_FILLS)}">{"".join(_FILLS)}</fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(Style)}">{looks}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _look(number_format: int, font: int, fill: int, wrapped: bool, quoted: bool) -> str:
    quote = ' quotePrefix="1"' if quoted else ""
    wrap = ' wrapText="1"' if wrapped else ""
    return (
        f'<xf numFmtId="{number_format}" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"{quote}'
        ' applyNumberFormat="1" applyFont="1" applyFill="1" applyAlignment="1">'
        f'<alignment vertical="top"{wrap}/></xf>'
    )


def sheet_top(widths: Sequence[float], frozen: int, *, tab: bool) -> str:
    """Everything before the rows: tab color, frozen rows, widths of the columns."""
    color = '<sheetPr><tabColor rgb="FFB3261E"/></sheetPr>' if tab else ""
    pane = ""
    if frozen:
        first = f"A{frozen + 1}"
        pane = (
            f'<pane ySplit="{frozen}" topLeftCell="{first}" activePane="bottomLeft" state="frozen"/>'
            f'<selection pane="bottomLeft" activeCell="{first}" sqref="{first}"/>'
        )
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'
        for place, width in enumerate(widths, start=1)
    )
    widths_part = f"<cols>{columns}</cols>" if columns else ""
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}">{color}<sheetViews><sheetView workbookViewId="0">{pane}</sheetView>'
        f'</sheetViews><sheetFormatPr defaultRowHeight="14"/>{widths_part}<sheetData>'
    )


def sheet_end(filtered: str, banner: str) -> str:
    """Everything after the rows: filter, margins, and the banner on top of every printed page."""
    words = escaped("&C&B" + banner.replace("&", "&&"))
    return (
        f"</sheetData>{f'<autoFilter ref={quoteattr(filtered)}/>' if filtered else ''}"
        '<pageMargins left="0.5" right="0.5" top="0.75" bottom="0.5" header="0.3" footer="0.3"/>'
        '<pageSetup orientation="landscape" fitToHeight="0"/>'
        f"{f'<headerFooter><oddHeader>{words}</oddHeader></headerFooter>' if banner else ''}</worksheet>"
    )


def shared_strings(texts: Sequence[str]) -> str:
    items = "".join(f'<si><t xml:space="preserve">{shared_string(text)}</t></si>' for text in texts)
    return f'{_XML}<sst xmlns="{_MAIN}" count="{len(texts)}" uniqueCount="{len(texts)}">{items}</sst>'


def workbook(titles: Sequence[str]) -> str:
    """The list of sheets; programs are told to compute every formula when they open the file."""
    sheets = "".join(
        f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, start=1)
    )
    return (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><bookViews><workbookView activeTab="0"/></bookViews>'
        f'<sheets>{sheets}</sheets><calcPr calcId="0" fullCalcOnLoad="1"/></workbook>'
    )


def workbook_links(n_sheets: int, *, shared: bool) -> str:
    links = [
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, n_sheets + 1)
    ]
    links.append(f'<Relationship Id="rId{n_sheets + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>')
    if shared:
        kind = f"{_DOCUMENT}/sharedStrings"
        links.append(f'<Relationship Id="rId{n_sheets + 2}" Type="{kind}" Target="sharedStrings.xml"/>')
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(links)}</Relationships>'


def package_links() -> str:
    core_properties = f"{_PACKAGE}/relationships/metadata/core-properties"
    return (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{core_properties}" Target="docProps/core.xml"/>'
        f'<Relationship Id="rId3" Type="{_DOCUMENT}/extended-properties" Target="docProps/app.xml"/>'
        "</Relationships>"
    )


def core(title: str, made_at: datetime) -> str:
    made = made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{_XML}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escaped(title)}</dc:title><dc:creator>MedGEN</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{made}</dcterms:created></cp:coreProperties>'
    )


def app() -> str:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
    return f'{_XML}<Properties xmlns="{kind}"><Application>MedGEN</Application></Properties>'


def content_types(n_sheets: int, *, shared: bool) -> str:
    office = "application/vnd.openxmlformats"
    parts = {
        "/xl/workbook.xml": f"{_TYPES}.sheet.main+xml",
        "/xl/styles.xml": f"{_TYPES}.styles+xml",
        "/docProps/core.xml": f"{office}-package.core-properties+xml",
        "/docProps/app.xml": f"{office}-officedocument.extended-properties+xml",
    }
    parts |= {f"/xl/worksheets/sheet{number}.xml": f"{_TYPES}.worksheet+xml" for number in range(1, n_sheets + 1)}
    if shared:
        parts["/xl/sharedStrings.xml"] = f"{_TYPES}.sharedStrings+xml"
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items())
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{office}-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
