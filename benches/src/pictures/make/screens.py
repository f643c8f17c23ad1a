"""Screenshots of made-up banks: six templates, in each of which only names, numbers, amounts and times differ."""

from drawing import LATIN, Canvas, amount, digits, han_name, moment

SIZE = (1080, 2400)
LIGHT = {"ground": "#f4f5f7", "card": "#ffffff", "text": "#1c1c1e", "faint": "#8a8a8e", "line": "#e3e3e6"}
DARK = {"ground": "#0e0f12", "card": "#1b1d22", "text": "#f2f2f4", "faint": "#8d9098", "line": "#2c2f36"}
MERCHANTS = [
    "盒马鲜生",
    "滴滴出行",
    "美团外卖",
    "中国移动",
    "星巴克咖啡",
    "京东商城",
    "地铁充值",
    "永辉超市",
    "国家电网",
    "肯德基",
    "药房",
    "工资",
]
SHOPS = [
    "Corner Grocery",
    "City Transit",
    "Book Barn",
    "Water Works",
    "Coffee Lab",
    "Pharmacy 24",
    "Salary",
    "Cinema",
    "Bike Share",
    "Rent",
    "Bakery",
    "Gym",
]


def draw(number, chance, fonts, changed=None):
    """The screen with this number: its template's name, the picture, and the boxes that differ."""
    name, template, colours = TEMPLATES[number % len(TEMPLATES)]
    canvas = Canvas(SIZE, colours["ground"], fonts, changed)
    _status_bar(canvas, colours, chance)
    template(canvas, colours, chance)
    return name, canvas.picture, canvas.boxes


def _status_bar(canvas, colours, chance):
    # A clock differs from screenshot to screenshot, but it says nothing about anybody: no box.
    canvas.text((60, 30), f"{chance.randint(0, 23)}:{chance.randint(0, 59):02}", 40, colours["text"])
    canvas.draw.rectangle((950, 36, 1010, 66), outline=colours["text"], width=3)
    canvas.draw.rectangle((954, 40, 954 + chance.randint(6, 52), 62), fill=colours["text"])
    for bar in range(4):
        canvas.draw.rectangle((860 + 18 * bar, 64 - 8 * bar, 872 + 18 * bar, 66), fill=colours["text"])


def _title(canvas, colours, text):
    canvas.draw.line((70, 170, 48, 192, 70, 214), fill=colours["text"], width=6)
    canvas.text((540, 192), text, 50, colours["text"], "mm")
    canvas.draw.line((0, 250, 1080, 250), fill=colours["line"], width=2)


def _tabs(canvas, colours, names, accent):
    canvas.draw.rectangle((0, 2200, 1080, 2400), fill=colours["card"])
    canvas.draw.line((0, 2200, 1080, 2200), fill=colours["line"], width=2)
    for at, name in enumerate(names):
        middle = 1080 * (2 * at + 1) // (2 * len(names))
        colour = accent if at == 0 else colours["faint"]
        canvas.draw.rounded_rectangle((middle - 32, 2226, middle + 32, 2286), 14, outline=colour, width=6)
        canvas.draw.ellipse((middle - 12, 2244, middle + 12, 2268), fill=colour)
        canvas.text((middle, 2322), name, 32, colour, "mm")


def _rows(canvas, colours, chance, top, count, names, sign):
    for row in range(count):
        y = top + 150 * row
        canvas.draw.ellipse((60, y + 20, 150, y + 110), fill=colours["line"])
        canvas.own((190, y + 22), chance.choice(names), 42, colours["text"])
        canvas.own((190, y + 82), moment(chance)[5:16], 30, colours["faint"])
        canvas.own((1020, y + 64), f"{chance.choice('-+')}{sign}{amount(chance)}", 42, colours["text"], "rm")
        canvas.draw.line((190, y + 140, 1080, y + 140), fill=colours["line"], width=2)


def _home(canvas, colours, chance):
    canvas.draw.rounded_rectangle((40, 140, 1040, 560), 36, fill="#0a7d55")
    canvas.own((90, 180), f"您好，{han_name(chance)}", 44, "#ffffff")
    canvas.text((90, 270), "总资产（元）", 36, "#c9efe0")
    canvas.own((90, 330), amount(chance, 7), 84, "#ffffff", bold=True)
    canvas.own((90, 470), f"储蓄卡 {digits(chance, 4)} **** **** {digits(chance, 4)}", 38, "#ffffff")
    for at, name in enumerate(["转账", "扫一扫", "理财", "贷款", "缴费", "信用卡", "外汇", "更多"]):
        x, y = 135 + 270 * (at % 4), 660 + 190 * (at // 4)
        canvas.draw.rounded_rectangle((x - 50, y - 50, x + 50, y + 50), 26, fill="#0a7d55" if at % 3 else "#e0a526")
        canvas.text((x, y + 84), name, 34, colours["text"], "mm")
    canvas.text((60, 1010), "最近交易", 46, colours["text"])
    _rows(canvas, colours, chance, 1090, 7, MERCHANTS, "¥")
    _tabs(canvas, colours, ["首页", "财富", "生活", "我的"], "#0a7d55")


def _receipt(canvas, colours, chance):
    _title(canvas, colours, "转账结果")
    canvas.draw.ellipse((450, 320, 630, 500), fill="#2f7cf6")
    canvas.draw.line((495, 412, 530, 450, 590, 370), fill="#ffffff", width=16)
    canvas.text((540, 560), "转账成功", 52, colours["text"], "mm")
    canvas.own((540, 670), f"¥{amount(chance, 5)}", 96, colours["text"], "mm", True)
    fields = [
        ("收款人", han_name(chance)),
        ("收款账号", f"6222 **** **** {digits(chance, 4)}"),
        ("收款银行", None),
        ("付款账号", f"6217 **** **** {digits(chance, 4)}"),
        ("手续费", None),
        ("交易时间", moment(chance)),
        ("交易单号", digits(chance, 20)),
        ("附言", None),
    ]
    same = {"收款银行": "示例银行股份有限公司", "手续费": "0.00 元", "附言": "转账"}
    for row, (name, value) in enumerate(fields):
        y = 820 + 120 * row
        canvas.text((60, y), name, 40, colours["faint"])
        (canvas.own if value else canvas.text)((1020, y), value or same[name], 40, colours["text"], "ra")
        canvas.draw.line((60, y + 84, 1020, y + 84), fill=colours["line"], width=2)
    canvas.draw.rounded_rectangle((60, 1900, 1020, 2020), 60, fill="#2f7cf6")
    canvas.text((540, 1960), "完成", 48, "#ffffff", "mm")
    canvas.text((540, 2090), "再转一笔　　查看电子回单", 38, "#2f7cf6", "mm")


def _statement(canvas, colours, chance):
    _title(canvas, colours, "Statement")
    canvas.own((60, 300), chance.choice(LATIN), 48, colours["text"])
    canvas.own(
        (60, 370),
        f"IBAN XX{digits(chance, 2)} {digits(chance, 4)} {digits(chance, 4)} {digits(chance, 4)}",
        38,
        colours["faint"],
    )
    canvas.text((60, 470), "Available", 38, colours["faint"])
    canvas.own((60, 520), f"€ {amount(chance, 6)}", 76, colours["text"], bold=True)
    canvas.draw.rounded_rectangle((60, 650, 1020, 740), 45, fill=colours["line"])
    canvas.text((110, 695), "Search transactions", 38, colours["faint"], "lm")
    _rows(canvas, colours, chance, 780, 9, SHOPS, "€")
    _tabs(canvas, colours, ["Home", "Cards", "Pay", "Profile"], "#7a4df0")


def _credit_card(canvas, colours, chance):
    _title(canvas, colours, "信用卡")
    canvas.draw.rounded_rectangle((60, 310, 1020, 860), 40, fill="#23304d")
    canvas.draw.rounded_rectangle((120, 480, 230, 570), 14, fill="#d9b45b")
    canvas.text((120, 360), "示例银行 白金卡", 44, "#ffffff")
    canvas.own((120, 640), "  ".join(digits(chance, 4) for _ in range(4)), 60, "#ffffff")
    canvas.own((120, 760), f"VALID {chance.randint(1, 12):02}/{chance.randint(27, 33)}", 34, "#cfd6e6")
    canvas.own((960, 760), han_name(chance), 44, "#ffffff", "ra")
    fields = [
        ("本期应还", amount(chance, 5)),
        ("最低还款", amount(chance, 4)),
        ("可用额度", amount(chance, 6)),
        ("到期还款日", moment(chance)[:10]),
        ("积分", digits(chance, 6)),
    ]
    for row, (name, value) in enumerate(fields):
        y = 960 + 150 * row
        canvas.draw.rounded_rectangle((60, y, 1020, y + 130), 24, fill=colours["card"])
        canvas.text((110, y + 65), name, 42, colours["faint"], "lm")
        canvas.own((970, y + 65), value, 46, colours["text"], "rm")
    canvas.draw.rounded_rectangle((60, 1790, 1020, 1910), 60, fill="#d0342c")
    canvas.text((540, 1850), "立即还款", 48, "#ffffff", "mm")
    canvas.text((60, 1990), "账单分期　消费明细　调整额度　挂失补卡", 40, colours["text"])
    _tabs(canvas, colours, ["信用卡", "优惠", "商城", "我的"], "#d0342c")


TEMPLATES = [
    ("home, light", _home, LIGHT),
    ("receipt, light", _receipt, LIGHT),
    ("statement, light", _statement, LIGHT),
    ("home, dark", _home, DARK),
    ("credit card, dark", _credit_card, DARK),
    ("receipt, dark", _receipt, DARK),
]
