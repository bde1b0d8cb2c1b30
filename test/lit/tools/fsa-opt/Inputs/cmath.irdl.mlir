irdl.dialect @cmath {
  irdl.operation @norm {
    %0 = irdl.is i32
    irdl.operands(in: %0)
    irdl.results(out: %0)
  }
}
